/**
 * What every script begins with: the call, the clock, and the channel's row, which says what life of the log this is.
 * Defines `call`, `wall`, `store_time`, `lease_time`, `channel`, `decimal`, and `answer`, with which every script ends.
 *
 * A script runs as one step. It reads and checks before it writes: Redis takes nothing back of one that fails midway.
 */
export const CHANNEL_LUA = `
local CHANNEL, LOG, CLIENTS, RECORDS, SECRETS, LEASES, SIGHTINGS, AUDIENCE, KEY_IDS, KEY_TIMES, STOPPED, CLAIMS,
  CLAIM_TIMES, REPLIES, REPLY_ORDER, STOPS, ASIDE, CALLS, CALL_TIMES = unpack(KEYS)

local VERSION = 1
local SWEEP_GAP_MS = 10000
local CALL_KNOWN_MS = 600000
local MAX_ENDED_LIVES = 16

local call = cjson.decode(ARGV[1])

-- Numbers of Lua are doubles, and its own texts of large ones are rounded.
local function decimal(number)
  return string.format('%.0f', number)
end

local time = redis.call('TIME')
local clock_us = time[1] * 1000000 + time[2]
local clock_ms = math.floor(clock_us / 1000)
if clock_ms >= call.latest then
  return redis.error_reply('COMETLATE Whoever asked for this has given it up.')
end
local wall = call.now or clock_ms

-- A replica knows no more than what its primary has told it, and it may be out of touch with that.
local replication = redis.call('INFO', 'replication')
if not string.find(replication, 'role:master', 1, true) then
  return redis.error_reply('READONLY This server is a replica.')
end

-- A server that was restarted, promoted, or given back what it had before, may lack what was told of.
local lineage = string.match(replication, 'master_replid:(%w+)')
if not lineage then
  return redis.error_reply('COMETLINEAGE This server does not say which one it is: INFO has no master_replid.')
end

-- A call that comes again, since its answer was lost, is answered as before. One that comes after its successor is over.
if call.number then
  local packed = redis.call('HGET', CALLS, call.lane)
  local known = packed and cmsgpack.unpack(packed)
  if known and known.number == call.number then return known.reply end
  if known and known.number > call.number then
    return redis.error_reply('COMETLATE Whoever asked for this has asked for more since.')
  end
end

local TEXTS = { 'epoch', 'lineage', 'ended' }
local NUMBERS = {
  'version', 'began_at', 'head', 'trimmed', 'entries', 'messages', 'bytes', 'clients', 'addresses', 'swept_at',
  'unswept', 'keys', 'claimants', 'reply_bytes', 'reply_place', 'replies', 'stopped', 'stops', 'asides', 'calls'
}

local function read_channel()
  local channel = {}
  for index, value in ipairs(redis.call('HMGET', CHANNEL, unpack(TEXTS))) do channel[TEXTS[index]] = value end
  for index, value in ipairs(redis.call('HMGET', CHANNEL, unpack(NUMBERS))) do
    channel[NUMBERS[index]] = tonumber(value or 0)
  end
  return channel
end

local channel = read_channel()
local row_as_read = {}
for field, value in pairs(channel) do row_as_read[field] = value end

if channel.version > VERSION then
  return redis.error_reply('COMETVERSION The channel was written by a newer koa-comet. Use that one.')
end

local function write_channel()
  local changed = {}
  for field, value in pairs(channel) do
    if value ~= row_as_read[field] then
      changed[#changed + 1] = field
      changed[#changed + 1] = type(value) == 'number' and decimal(value) or value
    end
  end
  if #changed > 0 then redis.call('HSET', CHANNEL, unpack(changed)) end
end

-- Leases run by this clock: time in which nobody swept, and nobody could be seen, is taken out by the next sweep.
local lease_time
-- All that is forgotten after a time goes by this one. It does not run ahead of the sweeps.
local store_time

local function set_clocks()
  local now = math.max(wall, channel.swept_at)
  lease_time = now - channel.unswept
  store_time = math.min(now, channel.swept_at + SWEEP_GAP_MS) - channel.unswept
end

-- Each part, how it is counted, and where the row says how much it has.
local COUNTED = {
  { LOG, 'XLEN', 'entries' },
  { CLIENTS, 'ZCARD', 'clients' }, { RECORDS, 'HLEN', 'clients' }, { SECRETS, 'HLEN', 'clients' },
  { LEASES, 'ZCARD', 'clients' }, { SIGHTINGS, 'HLEN', 'clients' }, { AUDIENCE, 'ZCARD', 'addresses' },
  { KEY_IDS, 'HLEN', 'keys' }, { KEY_TIMES, 'ZCARD', 'keys' }, { STOPPED, 'ZCARD', 'stopped' },
  { CLAIMS, 'HLEN', 'claimants' }, { CLAIM_TIMES, 'ZCARD', 'claimants' },
  { REPLIES, 'HLEN', 'replies' }, { REPLY_ORDER, 'ZCARD', 'replies' },
  { STOPS, 'HLEN', 'stops' }, { ASIDE, 'HLEN', 'asides' },
  { CALLS, 'HLEN', 'calls' }, { CALL_TIMES, 'ZCARD', 'calls' }
}

-- Whether a part is gone, by eviction for one, while the row is there.
local function has_lost_a_part()
  for _, counted in ipairs(COUNTED) do
    local part, command, field = unpack(counted)
    if redis.call(command, part) ~= channel[field] then return true end
  end
  return false
end

local function forget_all()
  redis.call('DEL', unpack(KEYS))
  row_as_read = {}
  for _, field in ipairs(NUMBERS) do channel[field] = 0 end
  channel.version = VERSION
  channel.swept_at = wall
end

-- The lives of the log that have ended: how far each had come here, and when it ended.
local function ended_lives()
  return channel.ended and cmsgpack.unpack(channel.ended) or {}
end

local function write_ended(lives)
  if #lives > MAX_ENDED_LIVES then table.remove(lives, 1) end
  channel.ended = cmsgpack.pack(lives)
end

-- Ids are above all that earlier lives can have given, by whatever server: microseconds since 1970.
local function begin_life(lineage)
  local lives = ended_lives()
  if channel.epoch then lives[#lives + 1] = { epoch = channel.epoch, head = channel.head, at = clock_ms } end
  write_ended(lives)
  redis.call('DEL', LOG)
  channel.epoch = call.epoch
  channel.lineage = lineage
  channel.began_at = clock_ms
  channel.head = math.max(clock_us, channel.head + 1, call.seen and call.seen.head + 1 or 0)
  channel.trimmed = channel.head
  channel.entries = 1
  channel.messages = 0
  channel.bytes = 0
  set_clocks()
  redis.call('XADD', LOG, decimal(channel.head) .. '-0', 'epoch', decimal(store_time) .. ' 0', 'epoch', channel.epoch)
end

-- The life of this name, among those that ended here. One that is not among them was begun elsewhere: for those who are
-- here it was over when the present one began.
local function ended_life(lives, epoch)
  for _, life in ipairs(lives) do
    if life.epoch == epoch then return life end
  end
  local unknown = { epoch = epoch, head = 0, at = channel.began_at }
  lives[#lives + 1] = unknown
  return unknown
end

-- Whether a life that is over here went on elsewhere: a server that was taken for dead has taken messages since, and
-- those who were told of the end before they were sent have to be told again. Each such message counts once.
local function has_gone_on(seen)
  if seen.epoch == channel.epoch then return false end
  local lives = ended_lives()
  local life = ended_life(lives, seen.epoch)
  if seen.head <= life.head or seen.at <= life.at then return false end
  life.head = seen.head
  write_ended(lives)
  return true
end

-- Whether the server lacks what this one has seen of the present life.
local function is_behind(seen)
  return seen.epoch == channel.epoch and seen.head > channel.head
end

local is_new = channel.version == 0 or has_lost_a_part()
if is_new then forget_all() end
set_clocks()
local has_lost = channel.lineage ~= lineage or (call.seen and (is_behind(call.seen) or has_gone_on(call.seen)))
if is_new or has_lost then begin_life(lineage) end

-- Of JSON each, behind the call.
local function read_arguments()
  local read = {}
  for index = 2, #ARGV do read[index - 1] = cjson.decode(ARGV[index]) end
  return read
end

local function answer(reply)
  if call.number then
    local packed = cmsgpack.pack({ number = call.number, reply = reply })
    channel.calls = channel.calls + redis.call('HSET', CALLS, call.lane, packed)
    redis.call('ZADD', CALL_TIMES, decimal(store_time + CALL_KNOWN_MS), call.lane)
  end
  write_channel()
  return reply
end
`
