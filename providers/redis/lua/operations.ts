/** The operations of `append`, each with its outcome: an id, `{ code }` of a refusal, or `{ kind, id, … }`. */
export const OPERATIONS_LUA = `
local MAX_KEYS = 100000

local UNKNOWN = { 'COMET_CLIENT_DOES_NOT_EXIST' }
local IN_USE = { 'COMET_CLIENT_ALREADY_EXISTS' }

local function known_key(key)
  local id = redis.call('HGET', KEY_IDS, key)
  return id and tonumber(redis.call('ZSCORE', KEY_TIMES, key)) > store_time and tonumber(id)
end

local function forget_key(key)
  channel.keys = channel.keys - redis.call('HDEL', KEY_IDS, key)
  redis.call('ZREM', KEY_TIMES, key)
end

local function remember_key(key, id)
  channel.keys = channel.keys + redis.call('HSET', KEY_IDS, key, decimal(id))
  redis.call('ZADD', KEY_TIMES, decimal(store_time + call.rememberMs), key)
  if channel.keys > MAX_KEYS then forget_key(redis.call('ZRANGE', KEY_TIMES, 0, 0)[1]) end
end

-- All of a batch is read before anything of it is done: what cannot be read would end the script midway.
local function read_operation(json)
  local op = cjson.decode(json)
  if op.kind == 'stop' then
    op.topic_list = cjson.decode(op.topics)
    op.except_list = cjson.decode(op.except)
  end
  return op
end

local operations = {}

function operations.send(op, contents)
  local first = op.key and known_key(op.key)
  if first then return first end
  if op.receiver and not find(op.receiver) then return UNKNOWN end
  local id = add_message(op.entry, op.bytes, contents, unpack(op.except and { 'except', op.except } or {}))
  if op.key then remember_key(op.key, id) end
  return id
end

local function count_of_user(user, most)
  local topic = 'u:' .. user
  local count = redis.call('ZLEXCOUNT', AUDIENCE, '[' .. address(topic, ''), last_address(topic))
  if count < most or channel.stops == 0 then return count end
  local existing = 0
  for _, token in ipairs(page(topic, '', count)) do
    if find(token) then existing = existing + 1 end
  end
  return existing
end

local function refusal_of(op)
  if is_stopped(op.hash) or redis.call('HEXISTS', SECRETS, op.hash) == 1 then return IN_USE end
  local bearer = read_record(op.token)
  if bearer then
    local stop = stop_of(op.token, bearer)
    if not stop then return IN_USE end
    finish_aside(op.token, bearer, stop)
  end
  local most = tonumber(op.maxClients) or math.huge
  make_room(channel.clients - most + 1)
  if channel.clients >= most then return { 'COMET_TOO_MANY_CLIENTS' } end
  local most_of_user = tonumber(op.maxClientsPerUser) or math.huge
  if op.user and count_of_user(op.user, most_of_user) >= most_of_user then
    return { 'COMET_USER_HAS_TOO_MANY_CLIENTS' }
  end
end

function operations.initialise(op)
  local refused = refusal_of(op)
  if refused then return refused end
  local id = add_entry('initialise', ENTRY_BYTES, 'token', op.token)
  local record = {
    generation = id, hash = op.hash, fixed = op.fixed, name = op.name, data = op.data, created_at = wall,
    user = op.user, session = op.session, memberships = {},
    start_epoch = op.from and op.from.epoch or channel.epoch, start_id = op.from and op.from.messageId or id
  }
  for _, group in ipairs(op.groups) do
    join(op.token, record, group, id)
    add_membership_entry('join', op.token, record, group)
  end
  add_client(op.token, record, { at = wall }, math.ceil(lease_time + op.leaseSeconds * 1000))
  return { 'initialised', id, told(op.token, record) }
end

function operations.update(op)
  local record = find(op.token, op.generation)
  if not record then return UNKNOWN end
  record.name = op.name or record.name
  record.data = op.data or record.data
  write_record(op.token, record)
  local groups = groups_of(record)
  local list = #groups == 0 and '[]' or cjson.encode(groups)
  local bytes = ENTRY_BYTES + #op.token + #record.name + #record.data + #groups * ADDRESS_BYTES + 2 * #list
  local id = add_entry('update', bytes, 'generation', decimal(record.generation), 'token', op.token,
    'name', record.name, 'data', record.data, 'groups', list)
  return { 'updated', id, told(op.token, record) }
end

function operations.join(op)
  local record = find(op.token, op.generation)
  if not record then return UNKNOWN end
  if open_membership(record, op.group) then return { 'unchanged', channel.head, told(op.token, record) } end
  if #groups_of(record) >= (tonumber(op.maxGroups) or math.huge) then return { 'COMET_CLIENT_HAS_TOO_MANY_GROUPS' } end
  local id = add_membership_entry('join', op.token, record, op.group)
  join(op.token, record, op.group, id)
  write_record(op.token, record)
  return { 'joined', id, told(op.token, record) }
end

function operations.leave(op)
  local record = find(op.token, op.generation)
  if not record then return UNKNOWN end
  if not open_membership(record, op.group) then return { 'unchanged', channel.head, told(op.token, record) } end
  local id = add_membership_entry('leave', op.token, record, op.group)
  leave(op.token, record, op.group, id)
  write_record(op.token, record)
  return { 'left', id, told(op.token, record) }
end

local function remove(token, record)
  local client = remove_client(token, record)
  local id = add_entry('remove', ENTRY_BYTES, 'generation', decimal(record.generation), 'token', token)
  return client, id
end

function operations.remove(op)
  local record = find(op.token, op.generation)
  if not record then return UNKNOWN end
  local client, id = remove(op.token, record)
  return { 'removed', id, client }
end

-- Adds the stop entry and takes the first step. What it leaves is known to all from here on.
function operations.stop(op)
  local bytes = ENTRY_BYTES + #op.topics + #op.except
  local id = add_entry('stop', bytes, 'topics', op.topics, 'except', op.except)
  local stop = new_stop(id, op.topic_list, op.except_list)
  local clients, more = carry_on(stop)
  if more then write_stop(stop) end
  return { 'stopped', stop.id, clients, more and 1 or 0 }
end
`
