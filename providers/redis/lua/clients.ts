import { MAX_ENDED_MEMBERSHIPS } from '../../../lib/memberships.ts'

/**
 * The clients. Of each, `RECORDS` has who it is and its memberships, `SIGHTINGS` when it was seen, by its public token.
 * `AUDIENCE` has one member for each topic that addresses it, `<length of the topic>:<topic><public token>`: no two
 * topics can be mistaken for each other, whatever their names are. Needs `channel` and the log.
 */
export const CLIENTS_LUA = String.raw`
local MAX_ENDED = ${MAX_ENDED_MEMBERSHIPS}

local function address(topic, token)
  return #topic .. ':' .. topic .. token
end

local function add_address(topic, token)
  channel.addresses = channel.addresses + redis.call('ZADD', AUDIENCE, 0, address(topic, token))
end

local function remove_address(topic, token)
  channel.addresses = channel.addresses - redis.call('ZREM', AUDIENCE, address(topic, token))
end

-- Above all tokens behind it: no text has the byte 255.
local function last_address(topic)
  return '(' .. address(topic, '\255')
end

local function read_record(token)
  local packed = redis.call('HGET', RECORDS, token)
  return packed and cmsgpack.unpack(packed)
end

local function write_record(token, record)
  redis.call('HSET', RECORDS, token, cmsgpack.pack(record))
end

local function read_sighting(token)
  return cmsgpack.unpack(redis.call('HGET', SIGHTINGS, token))
end

local function write_sighting(token, sighting)
  redis.call('HSET', SIGHTINGS, token, cmsgpack.pack(sighting))
end

-- The groups that it is a member of, in the order of joining.
local function groups_of(record)
  local groups = {}
  for _, membership in ipairs(record.memberships) do
    if not membership.left then groups[#groups + 1] = membership.group end
  end
  return groups
end

local function open_membership(record, group)
  for _, membership in ipairs(record.memberships) do
    if membership.group == group and not membership.left then return membership end
  end
end

-- What the app is told of a client: the same places as in client-fields.ts.
local function told(token, record)
  local memberships = {}
  for _, membership in ipairs(record.memberships) do
    memberships[#memberships + 1] = membership.group
    memberships[#memberships + 1] = membership.joined
    memberships[#memberships + 1] = membership.left or 0
  end
  return {
    record.fixed, record.name, record.data, record.created_at, read_sighting(token).at, record.generation,
    record.start_epoch, record.start_id, record.lost_through or 0, memberships
  }
end

-- The entry of one that joins or leaves a group.
local function add_membership_entry(kind, token, record, group)
  local bytes = ENTRY_BYTES + ADDRESS_BYTES + 2 * #group + #token + #record.name + #record.data
  return add_entry(kind, bytes, 'generation', decimal(record.generation), 'token', token, 'name', record.name,
    'data', record.data, 'group', group)
end

local function join(token, record, group, id)
  record.memberships[#record.memberships + 1] = { group = group, joined = id }
  add_address('g:' .. group, token)
end

-- Of memberships that ended, those are kept which the window reaches, and only so many.
local function drop_ended(record)
  local ends = {}
  for _, membership in ipairs(record.memberships) do
    if membership.left then ends[#ends + 1] = membership.left end
  end
  table.sort(ends)
  local through = math.max(channel.trimmed, ends[#ends - MAX_ENDED] or 0)
  local kept = {}
  for _, membership in ipairs(record.memberships) do
    if membership.left and membership.left <= through then
      -- What was sent to a group came before it was left. Another node's window may reach further than this one.
      record.lost_through = math.max(record.lost_through or 0, membership.left - 1)
    else
      kept[#kept + 1] = membership
    end
  end
  record.memberships = kept
end

local function leave(token, record, group, id)
  open_membership(record, group).left = id
  remove_address('g:' .. group, token)
  drop_ended(record)
end

local function add_client(token, record, sighting, expires_at)
  channel.clients = channel.clients + 1
  redis.call('ZADD', CLIENTS, decimal(record.generation), token)
  redis.call('HSET', SECRETS, record.hash, token)
  redis.call('ZADD', LEASES, decimal(expires_at), token)
  write_record(token, record)
  write_sighting(token, sighting)
  if record.user then add_address('u:' .. record.user, token) end
  if record.session then add_address('s:' .. record.session, token) end
end

-- Ends all that is known of a client, with a leave entry for each of its groups. What the app is told of it.
local function remove_client(token, record)
  local client = told(token, record)
  local groups = groups_of(record)
  for _, group in ipairs(groups) do remove_address('g:' .. group, token) end
  if record.user then remove_address('u:' .. record.user, token) end
  if record.session then remove_address('s:' .. record.session, token) end
  channel.clients = channel.clients - 1
  redis.call('ZREM', CLIENTS, token)
  redis.call('HDEL', SECRETS, record.hash)
  redis.call('ZREM', LEASES, token)
  redis.call('HDEL', RECORDS, token)
  redis.call('HDEL', SIGHTINGS, token)
  forget_claims(token)
  -- Last: a script that has given something back may take it also while the memory is full.
  for _, group in ipairs(groups) do add_membership_entry('leave', token, record, group) end
  return client
end

-- The next so many public tokens that the topic addresses, and the place behind each.
local function page(topic, after, count)
  if topic == '*' then
    local found = redis.call('ZRANGEBYSCORE', CLIENTS, '(' .. (after == '' and '0' or after), '+inf', 'WITHSCORES',
      'LIMIT', 0, count)
    local tokens, places = {}, {}
    for index = 1, #found, 2 do
      tokens[#tokens + 1] = found[index]
      places[#places + 1] = found[index + 1]
    end
    return tokens, places
  end
  if string.sub(topic, 1, 2) == 'c:' then
    local token = string.sub(topic, 3)
    local is_there = after == '' and redis.call('ZSCORE', CLIENTS, token)
    local tokens = is_there and { token } or {}
    return tokens, tokens
  end
  local first = (after == '' and '[' or '(') .. address(topic, after)
  local found = redis.call('ZRANGEBYLEX', AUDIENCE, first, last_address(topic), 'LIMIT', 0, count)
  local tokens = {}
  for index, member in ipairs(found) do tokens[index] = string.sub(member, #address(topic, '') + 1) end
  return tokens, tokens
end
`
