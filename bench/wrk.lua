-- Sends prepared requests one after the other. What a request costs here is taken from the servers' cores.
local prepared, count, at = {}, 0, 0

function init()
  local file = assert(io.open(os.getenv("BENCH_REQUESTS"), "rb"))
  for request in file:read("*a"):gmatch("[^\30]+") do
    count = count + 1
    prepared[count] = request
  end
  file:close()
  at = tonumber(os.getenv("BENCH_START"))
end

function request()
  at = at + 1
  return prepared[at] or prepared[(at - 1) % count + 1]
end

function done(summary)
  local errors = summary.errors
  io.write(string.format(
    '{"requests": %d, "microseconds": %d, "refused": %d, "broken": %d}\n',
    summary.requests, summary.duration, errors.status,
    errors.connect + errors.read + errors.write + errors.timeout))
end
