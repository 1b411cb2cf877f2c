-- Sends the prepared form bodies of a file in turn, and counts every answer that is not the success expected.
local EXPECTED = '{"code":"200"'

local requests, turn = {}, 0
local threads = {}
refused = 0

function setup(thread)
  table.insert(threads, thread)
end

function init(args)
  local headers = { ["Content-Type"] = "application/x-www-form-urlencoded" }
  for body in io.lines(args[1]) do
    requests[#requests + 1] = wrk.format("POST", wrk.path, headers, body)
  end
end

function request()
  turn = turn % #requests + 1
  return requests[turn]
end

function response(status, _, body)
  if status ~= 200 or string.sub(body, 1, #EXPECTED) ~= EXPECTED then
    refused = refused + 1
  end
end

function done(summary, latency, _)
  local total, errors = 0, summary.errors
  for _, thread in ipairs(threads) do
    total = total + thread:get("refused")
  end
  io.write(string.format(
    'LOAD {"requests":%d,"microseconds":%d,"refused":%d,"broken":%d,"p50_us":%d,"p99_us":%d}\n',
    summary.requests, summary.duration, total,
    errors.connect + errors.read + errors.write + errors.timeout,
    latency:percentile(50), latency:percentile(99)))
end
