import { MAX_CLAIMS_PER_CLIENT } from '../../../lib/comet-claim.ts'

/** How many bytes of replies a channel keeps. */
const MAX_REPLIES_BYTES = 16 * 1024 * 1024

/**
 * The claims of each client, the oldest first, by its public token; they go with it. `REPLIES` has what runs came to,
 * `REPLY_ORDER` in which order. Needs `channel`.
 */
export const CLAIMS_LUA = `
local MAX_CLAIMS = ${MAX_CLAIMS_PER_CLIENT}
local MAX_REPLY_BYTES = ${MAX_REPLIES_BYTES}

local function reply_name(token, key)
  return #token .. ':' .. token .. key
end

local function drop_reply(name)
  channel.reply_bytes = channel.reply_bytes - redis.call('HSTRLEN', REPLIES, name)
  channel.replies = channel.replies - redis.call('HDEL', REPLIES, name)
  redis.call('ZREM', REPLY_ORDER, name)
end

local function read_claims(token)
  local packed = redis.call('HGET', CLAIMS, token)
  return packed and cmsgpack.unpack(packed) or {}
end

local function write_claims(token, claims)
  if #claims == 0 then
    channel.claimants = channel.claimants - redis.call('HDEL', CLAIMS, token)
    redis.call('ZREM', CLAIM_TIMES, token)
    return
  end
  local known_until = 0
  for _, claim in ipairs(claims) do known_until = math.max(known_until, claim.known_until) end
  channel.claimants = channel.claimants + redis.call('HSET', CLAIMS, token, cmsgpack.pack(claims))
  redis.call('ZADD', CLAIM_TIMES, decimal(known_until), token)
end

-- Forgets those whose time is over, and this key. The claim of this key, if it is known.
local function take_claim(token, claims, key)
  local known
  for index = #claims, 1, -1 do
    local claim = claims[index]
    local is_over = claim.known_until <= store_time
    if claim.key == key and not is_over then known = claim end
    if claim.key == key or is_over then table.remove(claims, index) end
    if is_over then drop_reply(reply_name(token, claim.key)) end
  end
  return known
end

local function forget_claims(token)
  local claims = read_claims(token)
  for _, claim in ipairs(claims) do drop_reply(reply_name(token, claim.key)) end
  if #claims > 0 then write_claims(token, {}) end
end

-- What another than the run that has it is told of a claim.
local function state_of(token, known, run, run_time)
  local reply = redis.call('HGET', REPLIES, reply_name(token, known.key))
  if reply then return { reply } end
  if known.is_settled then return 'unknown' end
  if known.run == run then return nil end
  return known.runs_until > run_time and 'running' or 'unknown'
end

local function do_claim(token, asked)
  -- A run does not live on while nobody sweeps: its time passes as the clock says, which may be set back.
  local run_time = math.max(wall, channel.swept_at)
  local claims = read_claims(token)
  local known = take_claim(token, claims, asked.key)
  local state = known and state_of(token, known, asked.run, run_time)
  if state then return state end
  claims[#claims + 1] = {
    key = asked.key,
    run = asked.run,
    runs_until = math.ceil(run_time + asked.runSeconds * 1000),
    known_until = math.ceil(store_time + asked.seconds * 1000)
  }
  if #claims > MAX_CLAIMS then drop_reply(reply_name(token, table.remove(claims, 1).key)) end
  write_claims(token, claims)
  return 'claimed'
end

local function keep_reply(name, reply)
  channel.reply_place = channel.reply_place + 1
  channel.reply_bytes = channel.reply_bytes + #reply
  channel.replies = channel.replies + redis.call('HSET', REPLIES, name, reply)
  redis.call('ZADD', REPLY_ORDER, decimal(channel.reply_place), name)
  while channel.reply_bytes > MAX_REPLY_BYTES do
    drop_reply(redis.call('ZRANGE', REPLY_ORDER, 0, 0)[1])
  end
end

local function do_settle(token, asked)
  local claims = read_claims(token)
  for _, claim in ipairs(claims) do
    local is_it = claim.key == asked.key and claim.run == asked.run
    if is_it and not claim.is_settled and claim.known_until > store_time then
      claim.is_settled = true
      write_claims(token, claims)
      keep_reply(reply_name(token, claim.key), asked.reply)
    end
  end
end
`
