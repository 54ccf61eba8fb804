/**
 * Stops, which are carried out in steps: whom one has hit is as good as removed from its entry on, whoever asks.
 * `STOPS` has those that are not carried out wholly, normally none. `ASIDE` has those whom somebody else removed for
 * one, until whoever carries it out names them. Needs the clients.
 */
export const STOPS_LUA = `
local STEP_LOOKS = 100
local STEP_ENTRIES = 500
local MAX_STOPPED = 100000

local function set_of(list)
  local set = {}
  for _, each in ipairs(list) do set[each] = true end
  return set
end

local function new_stop(id, topics, except)
  -- What has to be looked through to meet all of the audience: one topic, if that is everybody.
  local distinct, known = {}, set_of(topics)
  for _, topic in ipairs(known['*'] and { '*' } or topics) do
    if known[topic] then distinct[#distinct + 1] = topic end
    known[topic] = nil
  end
  return { id = id, topics = distinct, except = except, place = 1, after = '' }
end

local pending

-- Those that are not carried out wholly, the oldest first.
local function pending_stops()
  if pending == nil then
    pending = {}
    if channel.stops > 0 then
      for _, packed in ipairs(redis.call('HVALS', STOPS)) do pending[#pending + 1] = cmsgpack.unpack(packed) end
      table.sort(pending, function(one, other) return one.id < other.id end)
    end
  end
  return pending
end

local function write_stop(stop)
  if redis.call('HSET', STOPS, decimal(stop.id), cmsgpack.pack(stop)) == 1 then channel.stops = channel.stops + 1 end
  pending = nil
end

local function delete_stop(stop)
  redis.call('HDEL', STOPS, decimal(stop.id))
  channel.stops = channel.stops - 1
  pending = nil
end

local excepted_by = {}

local function is_excepted(token, stop)
  local excepted = excepted_by[stop] or set_of(stop.except)
  excepted_by[stop] = excepted
  return excepted[token]
end

local function is_hit(token, record, stop)
  if record.generation > stop.id or is_excepted(token, stop) then return false end
  for _, topic in ipairs(stop.topics) do
    local kind, name = string.sub(topic, 1, 2), string.sub(topic, 3)
    if topic == '*' or (kind == 'c:' and name == token) then return true end
    if (kind == 'u:' and name == record.user) or (kind == 's:' and name == record.session) then return true end
    local membership = kind == 'g:' and open_membership(record, name)
    if membership and membership.joined < stop.id then return true end
  end
  return false
end

-- The stop that has hit a client which still has its record.
local function stop_of(token, record)
  for _, stop in ipairs(pending_stops()) do
    if is_hit(token, record, stop) then return stop end
  end
end

-- The record of a client that exists. Without a generation, of whoever bears the public token.
local function find(token, generation)
  local record = read_record(token)
  if not record or (generation and record.generation ~= generation) or stop_of(token, record) then return nil end
  return record
end

local function finish(token, record)
  local known_until = decimal(store_time + call.rememberMs)
  channel.stopped = channel.stopped + redis.call('ZADD', STOPPED, known_until, record.hash)
  if channel.stopped > MAX_STOPPED then
    redis.call('ZPOPMIN', STOPPED)
    channel.stopped = channel.stopped - 1
  end
  return remove_client(token, record)
end

local function finish_aside(token, record, stop)
  local packed = redis.call('HGET', ASIDE, decimal(stop.id))
  local clients = packed and cmsgpack.unpack(packed) or {}
  clients[#clients + 1] = finish(token, record)
  channel.asides = channel.asides + redis.call('HSET', ASIDE, decimal(stop.id), cmsgpack.pack(clients))
end

local function take_aside(stop)
  local packed = redis.call('HGET', ASIDE, decimal(stop.id))
  channel.asides = channel.asides - redis.call('HDEL', ASIDE, decimal(stop.id))
  return packed and cmsgpack.unpack(packed) or {}
end

-- Removes the next of its audience, until so many were looked at or removed. Each is given to take(token, record).
local function step(stop, most, take)
  local last_entry = added + STEP_ENTRIES
  local looks, removed = 0, 0
  while stop.place <= #stop.topics and looks < STEP_LOOKS do
    local count = STEP_LOOKS - looks
    local tokens, places = page(stop.topics[stop.place], stop.after, count)
    for index, token in ipairs(tokens) do
      stop.after = places[index]
      local record = read_record(token)
      if is_hit(token, record, stop) then
        take(token, record)
        removed = removed + 1
        if removed == most or added >= last_entry then return removed end
      end
    end
    looks = looks + math.max(#tokens, 1)
    if #tokens < count then
      stop.place = stop.place + 1
      stop.after = ''
    end
  end
  return removed
end

-- Takes the next step of a stop. Those who are removed by it, as the app is told of them.
local function carry_on(stop)
  local clients = take_aside(stop)
  step(stop, STEP_LOOKS, function(token, record) clients[#clients + 1] = finish(token, record) end)
  return clients, stop.place <= #stop.topics
end

-- Removes so many whom stops have hit, to make room for others, or as many as one step does.
local function make_room(missing)
  for _, stop in ipairs(pending_stops()) do
    if missing <= 0 then return end
    missing = missing - step(stop, missing, function(token, record) finish_aside(token, record, stop) end)
    write_stop(stop)
  end
end

local function is_stopped(hash)
  local known_until = redis.call('ZSCORE', STOPPED, hash)
  return known_until and tonumber(known_until) > store_time
end
`
