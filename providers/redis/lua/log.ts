/**
 * The log: a stream whose ids are those of the entries, `<id>-0`. They follow each other without a gap within an epoch,
 * so that whoever reads them knows whether one is missing.
 *
 * The first field of an entry bears its kind as its name, of a message as `messageKind` gives it, and
 * `<stored at> <bytes>` as its value, of a message with ` <contents>` behind. What comes next is as entry-fields.ts reads
 * it. Needs `channel`.
 */
export const LOG_LUA = `
local TRIM_STEP = 500
local TRIM_PAGE = 64
local TRIM_PAGE_BYTES = 1048576
local ENTRY_BYTES = 64
local ADDRESS_BYTES = 500

local added = 0

local function add(kind, bytes, contents, ...)
  channel.head = channel.head + 1
  channel.entries = channel.entries + 1
  channel.bytes = channel.bytes + bytes
  added = added + 1
  local kept = decimal(store_time) .. ' ' .. decimal(bytes) .. contents
  redis.call('XADD', LOG, decimal(channel.head) .. '-0', kind, kept, ...)
  return channel.head
end

local function add_entry(kind, bytes, ...)
  return add(kind, bytes, '', ...)
end

local function add_message(kind, bytes, contents, ...)
  channel.messages = channel.messages + 1
  return add(kind, bytes, ' ' .. contents, ...)
end

local function is_over(stored_at)
  if stored_at <= store_time - call.retention.seconds * 1000 then return true end
  local overruns = channel.messages > call.retention.messages or channel.bytes > call.retention.bytes
  return overruns and channel.entries > 1
end

-- The id up to which all of these are over the retention, and whether all of them are.
local function take_out(entries)
  local through
  for _, entry in ipairs(entries) do
    local fields = entry[2]
    local stored_at, bytes = string.match(fields[2], '^(%d+) (%d+)')
    if not is_over(tonumber(stored_at)) then return through, false end
    through = tonumber(string.match(entry[1], '^%d+'))
    channel.entries = channel.entries - 1
    channel.bytes = channel.bytes - tonumber(bytes)
    if string.match(fields[1], '^message ') then channel.messages = channel.messages - 1 end
  end
  return through, #entries > 0
end

-- Drops the oldest that are over the retention. Whether there may be more to drop.
local function trim()
  local most = added + TRIM_STEP
  local looked = 0
  local page = 1
  while looked < most do
    local oldest = redis.call('XRANGE', LOG, '-', '+', 'COUNT', page)
    local through, is_all = take_out(oldest)
    if through then
      redis.call('XTRIM', LOG, 'MINID', decimal(through + 1) .. '-0')
      channel.trimmed = math.max(channel.trimmed, through)
    end
    if not is_all then return false end
    looked = looked + #oldest
    -- A page is read with its contents.
    local fitting = math.floor(TRIM_PAGE_BYTES * channel.entries / math.max(channel.bytes, 1))
    page = math.max(1, math.min(page * 4, TRIM_PAGE, fitting))
  end
  return true
end
`
