import java.io.IOException;
import java.net.URI;
import java.net.URLEncoder;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.time.Duration;
import java.util.HexFormat;
import java.util.Map;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.stream.Collectors;

/** The complete balances of one account, with nothing but the standard library of Java 17. */
public final class CompleteBalances {
    private CompleteBalances() {}

    public static void main(String[] arguments) throws IOException, InterruptedException {
        String url = System.getenv().getOrDefault("SPOTBOOK_URL", "http://127.0.0.1:8080");
        String apiKey = required("SPOTBOOK_API_KEY");
        String secretKey = required("SPOTBOOK_SECRET_KEY");

        HttpResponse<String> reply =
                call(url, "returnCompleteBalances", new TreeMap<>(), apiKey, secretKey);
        System.out.println(reply.body());
        // A refusal is HTTP 200 with another code inside.
        System.exit(reply.statusCode() == 200 && reply.body().contains("\"code\":\"200\"") ? 0 : 1);
    }

    /** One signed call. The parameters are sorted by name, as the signature asks. */
    static HttpResponse<String> call(
            String url, String command, SortedMap<String, String> parameters, String apiKey, String secretKey)
            throws IOException, InterruptedException {
        parameters.put("api_key", apiKey);
        String body = form(parameters) + "&sign=" + sign(parameters, secretKey);
        HttpRequest request =
                HttpRequest.newBuilder(URI.create(url + "/api/v1/private?command=" + command))
                        .timeout(Duration.ofSeconds(10))
                        .header("Content-Type", "application/x-www-form-urlencoded")
                        .POST(HttpRequest.BodyPublishers.ofString(body))
                        .build();
        HttpClient client =
                HttpClient.newBuilder()
                        .version(HttpClient.Version.HTTP_1_1)
                        .connectTimeout(Duration.ofSeconds(10))
                        .build();
        return client.send(request, HttpResponse.BodyHandlers.ofString(StandardCharsets.UTF_8));
    }

    /** MD5 over name=value pairs, not percent-encoded, sorted by name, and the secret at the end. */
    static String sign(SortedMap<String, String> parameters, String secretKey) {
        String text =
                parameters.entrySet().stream()
                                .map(parameter -> parameter.getKey() + "=" + parameter.getValue() + "&")
                                .collect(Collectors.joining())
                        + "secret_key="
                        + secretKey;
        try {
            byte[] digest = MessageDigest.getInstance("MD5").digest(text.getBytes(StandardCharsets.UTF_8));
            return HexFormat.of().withUpperCase().formatHex(digest);
        } catch (NoSuchAlgorithmException impossible) {
            throw new IllegalStateException(impossible);
        }
    }

    private static String form(Map<String, String> parameters) {
        return parameters.entrySet().stream()
                .map(parameter -> encoded(parameter.getKey()) + "=" + encoded(parameter.getValue()))
                .collect(Collectors.joining("&"));
    }

    private static String encoded(String text) {
        return URLEncoder.encode(text, StandardCharsets.UTF_8);
    }

    private static String required(String name) {
        String value = System.getenv(name);
        if (value == null || value.isEmpty()) {
            System.err.println(name + " is not set");
            System.exit(2);
        }
        return value;
    }
}
