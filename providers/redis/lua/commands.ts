/** What each script does, behind what it needs of the other parts. Arguments behind the call are JSON, but contents. */

/** What life of the log this is, and how far it has come. With `seen`: of who says what it has seen of it. */
export const POSITION_LUA = `
return answer({ channel.epoch, channel.head, channel.trimmed })
`

/** Does operations, `<operation> <contents>` each, as many as one step takes. A stop that it leaves unfinished is the last. */
export const APPEND_LUA = `
local batch, outcomes = {}, {}
for index = 2, #ARGV, 2 do batch[#batch + 1] = read_operation(ARGV[index]) end
for index, op in ipairs(batch) do
  local outcome = operations[op.kind](op, ARGV[2 * index + 1])
  outcomes[#outcomes + 1] = outcome
  local is_unfinished = op.kind == 'stop' and outcome[4] == 1
  if is_unfinished or added >= STEP_ENTRIES then break end
end
trim()
return answer({ channel.epoch, channel.head, outcomes })
`

/** The next step of a stop. Nothing is left to do if somebody else has carried it out. */
export const STOP_STEP_LUA = `
local id = tonumber(ARGV[2])
local clients, more = {}, false
for _, stop in ipairs(pending_stops()) do
  if stop.id == id then
    clients, more = carry_on(stop)
    if more then write_stop(stop) else delete_stop(stop) end
  end
end
trim()
return answer({ clients, more and 1 or 0 })
`

/** The stops that are not carried out wholly, and how far each has come. */
export const PENDING_STOPS_LUA = `
local places = {}
for _, stop in ipairs(pending_stops()) do
  places[#places + 1] = { stop.id, stop.place .. ' ' .. stop.after }
end
return answer(places)
`

export const GET_CLIENT_LUA = `
local hash = ARGV[2]
local token = redis.call('HGET', SECRETS, hash)
if not token then return answer({ is_stopped(hash) and 'stopped' or 'unknown' }) end
local record = read_record(token)
if stop_of(token, record) then return answer({ 'stopped' }) end
local sighting = read_sighting(token)
return answer({
  'found', told(token, record), channel.head, sighting.holder or false, sighting.epoch or false, sighting.id or 0
})
`

/** The next so many whom a topic addresses, and the place behind them; '' if there are no more. */
export const LIST_CLIENTS_LUA = `
local topic, after, count = ARGV[2], ARGV[3], tonumber(ARGV[4])
local tokens, places = page(topic, after, count)
local clients = {}
for _, token in ipairs(tokens) do
  local record = find(token)
  if record then clients[#clients + 1] = told(token, record) end
end
return answer({ clients, #tokens == count and places[count] or '' })
`

export const RENEW_LEASES_LUA = `
local outcomes = {}
for index, renewal in ipairs(read_arguments()) do outcomes[index] = renew(renewal) end
return answer(outcomes)
`

/** One step of a sweep: those who are removed, whether there is more to do, and whether stops are to be carried out. */
export const SWEEP_LUA = `
-- While its memory is full Redis refuses a script whose first write takes some, and what a sweep gives back must not wait
-- for room. This takes none.
redis.call('ZREM', LEASES, '')
if ARGV[2] == 'first' then note_sweep() end
local more_to_forget = forget_step()
local more_to_trim = trim()
local removed, more_expired = remove_expired()
local more = more_expired or more_to_forget or more_to_trim
return answer({ removed, more and 1 or 0, channel.stops })
`

export const CLAIM_LUA = `
local outcomes = {}
for index, asked in ipairs(read_arguments()) do
  local exists = find(asked.publicToken, asked.generation)
  outcomes[index] = exists and do_claim(asked.publicToken, asked) or 'gone'
end
return answer(outcomes)
`

export const SETTLE_LUA = `
for _, asked in ipairs(read_arguments()) do
  if find(asked.publicToken, asked.generation) then do_settle(asked.publicToken, asked) end
end
return answer({})
`
