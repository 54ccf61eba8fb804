/** Leases: `LEASES` has when each runs out, by public token. Needs the clients and the stops. */
export const LEASES_LUA = `
local REMOVALS_PER_STEP = 100
local FORGETTING_PER_STEP = 500

-- What is acknowledged of the present life of the log is not replaced by an earlier life's: another node may lag.
local function acknowledge(sighting, told_of)
  if not told_of then return end
  local is_older = sighting.epoch == told_of.epoch and sighting.id > told_of.messageId
  local is_of_earlier = sighting.epoch == channel.epoch and told_of.epoch ~= channel.epoch
  if is_older or is_of_earlier then return end
  sighting.epoch = told_of.epoch
  sighting.id = told_of.messageId
end

local function renew(renewal)
  local token = renewal.publicToken
  if not find(token, renewal.generation) then return 'gone' end
  local sighting = read_sighting(token)
  if sighting.holder and sighting.holder ~= renewal.holder and not renewal.take then return 'elsewhere' end
  if sighting.goodbye and not renewal.returns then return 'kept' end
  sighting.holder = renewal.holder
  sighting.goodbye = renewal.goodbye or nil
  sighting.at = wall
  acknowledge(sighting, renewal.acknowledged)
  write_sighting(token, sighting)
  redis.call('ZADD', LEASES, decimal(math.ceil(lease_time + renewal.seconds * 1000)), token)
  return 'kept'
end

-- A gap too long, or a jump of the clock back, is taken out of the store's time.
local function note_sweep()
  local gap = wall - channel.swept_at
  if gap < 0 or gap > SWEEP_GAP_MS then channel.unswept = channel.unswept + gap end
  channel.swept_at = wall
  set_clocks()
end

local function end_lease(token)
  local record = read_record(token)
  if stop_of(token, record) then return { 'stopped', finish(token, record) } end
  local reason = read_sighting(token).goodbye and 'goodbye' or 'idle'
  return { reason, (remove(token, record)) }
end

-- Those whose lease ran out, each with the reason; and whether there are more.
local function remove_expired()
  local removed = {}
  local expired = redis.call('ZRANGEBYSCORE', LEASES, '-inf', decimal(lease_time), 'LIMIT', 0, REMOVALS_PER_STEP)
  for _, token in ipairs(expired) do
    if added >= STEP_ENTRIES then return removed, true end
    removed[#removed + 1] = end_lease(token)
  end
  return removed, #expired == REMOVALS_PER_STEP
end

-- Gives each of those whose time is over to forget(member). Whether there are more.
local function forget_old(times, forget)
  local old = redis.call('ZRANGEBYSCORE', times, '-inf', decimal(store_time), 'LIMIT', 0, FORGETTING_PER_STEP)
  for _, member in ipairs(old) do forget(member) end
  return #old == FORGETTING_PER_STEP
end

local function forget_step()
  local more_keys = forget_old(KEY_TIMES, forget_key)
  local more_stopped = forget_old(STOPPED, function(hash)
    channel.stopped = channel.stopped - redis.call('ZREM', STOPPED, hash)
  end)
  local more_claims = forget_old(CLAIM_TIMES, forget_claims)
  local more_calls = forget_old(CALL_TIMES, function(lane)
    channel.calls = channel.calls - redis.call('HDEL', CALLS, lane)
    redis.call('ZREM', CALL_TIMES, lane)
  end)
  return more_keys or more_stopped or more_claims or more_calls
end
`
