-- Sends the prepared requests of a file in turn, and counts every answer that is not the success expected.
-- A line of the file is a path with its query, a space, and a form body. With a second argument, "once", no request is
-- sent twice: those beyond the last are counted, and are none.
local EXPECTED = '{"code":"200"'

local requests, turn, once = {}, 0, false
local threads = {}
refused = 0
beyond = 0

function setup(thread)
  table.insert(threads, thread)
end

function init(args)
  local headers = { ["Content-Type"] = "application/x-www-form-urlencoded" }
  for line in io.lines(args[1]) do
    local path, body = string.match(line, "^(%S+) (.*)$")
    requests[#requests + 1] = wrk.format("POST", path, headers, body)
  end
  once = args[2] == "once"
end

function request()
  if once and turn == #requests then
    beyond = beyond + 1
  end
  turn = turn % #requests + 1
  return requests[turn]
end

function response(status, _, body)
  if status ~= 200 or string.sub(body, 1, #EXPECTED) ~= EXPECTED then
    refused = refused + 1
  end
end

function done(summary, latency, _)
  local total, over, errors = 0, 0, summary.errors
  for _, thread in ipairs(threads) do
    total = total + thread:get("refused")
    over = over + thread:get("beyond")
  end
  io.write(string.format(
    'LOAD {"requests":%d,"microseconds":%d,"refused":%d,"beyond":%d,"broken":%d,"p50_us":%d,"p99_us":%d}\n',
    summary.requests, summary.duration, total, over,
    errors.connect + errors.read + errors.write + errors.timeout,
    latency:percentile(50), latency:percentile(99)))
end
