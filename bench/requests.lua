-- What one run of wrk sends: wrk -s requests.lua URL -- health|append|messages|context PREFIX SESSIONS [ALL].
-- Sessions are "PREFIX0", "PREFIX1", … in turn; with ALL so many of these, spread over them. Or:
-- -- post PATH FILE, the lines of a file are the bodies, in turn. Or: -- fill PREFIX FIRST END, one append of two
-- messages to each of these sessions; ends the process then. Prints one line of JSON at the end, but for fill.

local prepared = {}
local last = 0
local filling
local text = string.rep("The user said something. ", 5):sub(1, 120)
local json = { ["Content-Type"] = "application/json" }
local STRIDE = 7919 -- no divisor of the numbers of sessions, so that none is met twice
local REST = 4000 -- requests that follow the last append, so that it is answered before the end

local function append(session, messages)
  local message = '{"role":"user","content":"' .. text .. '"}'
  local body = '{"messages":[' .. string.rep(message, messages, ",") .. "]}"
  return wrk.format("POST", "/stm/" .. session .. "/messages", json, body)
end

function init(args)
  local case = args[1]
  if case == "health" then
    prepared[1] = wrk.format("GET", "/health")
    return
  end
  if case == "post" then
    for body in io.lines(args[3]) do
      prepared[#prepared + 1] = wrk.format("POST", args[2], json, body)
    end
    return
  end
  if case == "fill" then
    filling = { prefix = args[2], next = tonumber(args[3]), stop = tonumber(args[4]) }
    prepared[1] = wrk.format("GET", "/health")
    return
  end
  local prefix, sessions, all = args[2], tonumber(args[3]), tonumber(args[4] or args[3])
  local stride = args[4] and STRIDE or 1
  for number = 0, sessions - 1 do
    local session = prefix .. string.format("%d", number * stride % all)
    prepared[#prepared + 1] = case == "append" and append(session, 1)
      or wrk.format("GET", "/stm/" .. session .. "/" .. case)
  end
end

function request()
  if filling then
    if not filling.tried then -- wrk takes a look at one request that it does not send
      filling.tried = true
      return prepared[1]
    end
    local number = filling.next
    filling.next = number + 1
    if number < filling.stop then return append(filling.prefix .. string.format("%d", number), 2) end
    if number > filling.stop + REST then os.exit(0) end
  end
  last = last % #prepared + 1
  return prepared[last]
end

function done(summary, latency)
  local errors = summary.errors
  io.write(string.format(
    '\n{"requests":%d,"seconds":%.6f,"p50_ms":%.3f,"p99_ms":%.3f,"p999_ms":%.3f,"failed":%d,"socket_errors":%d}\n',
    summary.requests, summary.duration / 1e6, latency:percentile(50) / 1000,
    latency:percentile(99) / 1000, latency:percentile(99.9) / 1000, errors.status,
    errors.connect + errors.read + errors.write + errors.timeout))
end
