-- Sends prepared requests one after the other. What a request costs here is taken from the servers' cores.
local prepared, count, at = {}, 0, 0
local sender

function setup(thread)
  sender = thread
end

function init()
  local file = assert(io.open(os.getenv("BENCH_REQUESTS"), "rb"))
  for request in file:read("*a"):gmatch("[^\30]+") do
    count = count + 1
    prepared[count] = request
  end
  file:close()
  at = tonumber(os.getenv("BENCH_START"))
  loaded = os.clock()  -- global, so that done() can ask the thread for it
end

function request()
  at = at + 1
  return prepared[at] or prepared[(at - 1) % count + 1]
end

function done(summary)
  local errors = summary.errors
  io.write(string.format(
    '{"requests": %d, "microseconds": %d, "refused": %d, "broken": %d, "cpu": %.3f}\n',
    summary.requests, summary.duration, errors.status,
    errors.connect + errors.read + errors.write + errors.timeout, os.clock() - sender:get("loaded")))
end
