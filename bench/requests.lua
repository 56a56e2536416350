-- What one run of wrk sends: wrk -s requests.lua URL -- health|append|messages|context PREFIX SESSIONS.
-- Sessions are "PREFIX0", "PREFIX1", … in turn. Or: -- post PATH FILE, the lines of a file are the bodies,
-- in turn. Prints one line of JSON at the end.

local prepared = {}
local last = 0

function init(args)
  local case = args[1]
  if case == "health" then
    prepared[1] = wrk.format("GET", "/health")
    return
  end
  if case == "post" then
    for body in io.lines(args[3]) do
      prepared[#prepared + 1] = wrk.format("POST", args[2], { ["Content-Type"] = "application/json" }, body)
    end
    return
  end
  local prefix, sessions = args[2], tonumber(args[3])
  for number = 0, sessions - 1 do
    local session = "/stm/" .. prefix .. number
    if case == "append" then
      local content = string.rep("The user said something. ", 5):sub(1, 120)
      local body = '{"messages":[{"role":"user","content":"' .. content .. '"}]}'
      prepared[#prepared + 1] =
        wrk.format("POST", session .. "/messages", { ["Content-Type"] = "application/json" }, body)
    else
      prepared[#prepared + 1] = wrk.format("GET", session .. "/" .. case)
    end
  end
end

function request()
  last = last % #prepared + 1
  return prepared[last]
end

function done(summary, latency)
  local errors = summary.errors
  io.write(string.format(
    '\n{"requests":%d,"seconds":%.6f,"p50_ms":%.3f,"p99_ms":%.3f,"failed":%d,"socket_errors":%d}\n',
    summary.requests, summary.duration / 1e6, latency:percentile(50) / 1000,
    latency:percentile(99) / 1000, errors.status,
    errors.connect + errors.read + errors.write + errors.timeout))
end
