#!lua
-- Decides a batch of reservations of one shard. Everything is checked before anything is written,
-- because a script is not rolled back; no write below can fail.
--
-- KEYS[1]  the shard's header: state, generation, incarnation, seq
-- ARGV[1]  root of the shard's keys      ARGV[2]  generation the caller believes in
-- ARGV[3]  outbox_max
-- then, for each reservation, six: product, user, quantity, key field, id, event
--   key field  's<user>:<key>' for a sale, 'r<key>' for a reduction, which knows no window or limit
--   event      opaque bytes, a JSON object left open: its tail is written here
--
-- Returns {1} closed · {2, generation} the caller's generation is not the gate's · else {0, …} and
-- for each reservation one of
--   1 no such product · 2 window closed · 3 limit · 4 out of stock · 5 key reused · 6 outbox full
--   'g <seq> <price>'                          granted
--   'r <id> <price>'                           granted before, and recorded since
--   'p <id> <price> <event>'                   granted before, its event still in the outbox

local fields_per_reservation = 6
local root, generation, outbox_max = ARGV[1], ARGV[2], tonumber(ARGV[3])

local header = redis.call('HMGET', KEYS[1], 'state', 'generation', 'incarnation', 'seq')
local info = redis.call('INFO', 'server', 'replication')
local incarnation = string.match(info, 'run_id:(%x+)') .. string.match(info, 'master_replid:(%x+)')
if header[1] ~= 'open' or header[3] ~= incarnation then return {1} end
if header[2] ~= generation then return {2, header[2]} end

local base = root .. generation .. ':'
local outbox_key = base .. 'outbox'

-- Numbers stay below 2^53, where doubles are exact; %.0f writes them out in full.
local function digits(number) return string.format('%.0f', number) end

-- Read: each product of the batch once, and with it all keys and buyers that the batch asks for.
local products = {}
for at = 4, #ARGV, fields_per_reservation do
    local id = ARGV[at]
    local product = products[id]
    if product == nil then
        local stored = redis.call('HMGET', base .. 'p:' .. id, 'free', 'limit', 'starts', 'ends', 'price')
        product = false
        if stored[1] then
            product = {
                free = tonumber(stored[1]), limit = tonumber(stored[2]),
                starts = tonumber(stored[3]), ends = tonumber(stored[4]), price = stored[5],
                fields = {}, users = {}, taken = 0,
            }
        end
        products[id] = product
    end
    if product then
        product.fields[#product.fields + 1] = ARGV[at + 3]
        if product.limit then product.users[#product.users + 1] = ARGV[at + 1] end
    end
end
for id, product in pairs(products) do
    if product then
        product.records, product.bought = {}, {}
        local records = redis.call('HMGET', base .. 'k:' .. id, unpack(product.fields))
        for i, field in ipairs(product.fields) do product.records[field] = records[i] end
        if product.limit then
            local bought = redis.call('HMGET', base .. 'b:' .. id, unpack(product.users))
            for i, user in ipairs(product.users) do product.bought[user] = tonumber(bought[i] or 0) end
        end
        product.new_records, product.new_buyers = {}, {}
    end
end

-- Decide, on the copies.
local now = nil
local function in_window(product)
    if not product.starts and not product.ends then return true end
    if not now then
        local time = redis.call('TIME')
        now = tonumber(time[1]) * 1000000 + tonumber(time[2])
    end
    return (not product.starts or now >= product.starts) and (not product.ends or now < product.ends)
end

local seq = tonumber(header[4])
local room = nil
local entries = {}

local function decide(product, user, quantity, field, id, event)
    if not product then return 1 end
    local record = product.records[field]
    if record then
        local first_id, first_quantity, price = string.match(record, '^(%S+) (%S+) (%S+)$')
        if first_quantity ~= quantity then return 5 end
        local waiting = product.new_records[field] or redis.call('HGET', outbox_key, first_id)
        if waiting then return 'p ' .. first_id .. ' ' .. price .. ' ' .. waiting end
        return 'r ' .. first_id .. ' ' .. price
    end
    local sale = string.sub(field, 1, 1) == 's'
    local units = tonumber(quantity)
    if sale then
        if not in_window(product) then return 2 end
        if product.limit and product.bought[user] + units > product.limit then return 3 end
    end
    if product.free < units then return 4 end
    room = room or outbox_max - redis.call('HLEN', outbox_key)
    if room <= 0 then return 6 end

    seq = seq + 1
    room = room - 1
    local whole = event .. ',"unit_price":' .. product.price .. ',"generation":' .. generation ..
        ',"seq":' .. digits(seq) .. '}'
    product.free = product.free - units
    product.taken = product.taken + units
    product.records[field] = id .. ' ' .. quantity .. ' ' .. product.price
    product.new_records[field] = whole
    if sale and product.limit then
        product.bought[user] = product.bought[user] + units
        product.new_buyers[user] = true
    end
    entries[#entries + 1] = id
    entries[#entries + 1] = whole
    return 'g ' .. digits(seq) .. ' ' .. product.price
end

local reply = {0}
for at = 4, #ARGV, fields_per_reservation do
    reply[#reply + 1] = decide(products[ARGV[at]], ARGV[at + 1], ARGV[at + 2], ARGV[at + 3],
        ARGV[at + 4], ARGV[at + 5])
end
if #entries == 0 then return reply end

-- Write: the stock first, so that nothing imaginable could sell a unit twice.
for id, product in pairs(products) do
    if product and product.taken > 0 then
        redis.call('HINCRBY', base .. 'p:' .. id, 'free', '-' .. digits(product.taken))
    end
end
redis.call('HSET', KEYS[1], 'seq', digits(seq))
redis.call('HSET', outbox_key, unpack(entries))
for id, product in pairs(products) do
    if product and product.taken > 0 then
        local records, buyers = {}, {}
        for field in pairs(product.new_records) do
            records[#records + 1] = field
            records[#records + 1] = product.records[field]
        end
        redis.call('HSET', base .. 'k:' .. id, unpack(records))
        for user in pairs(product.new_buyers) do
            buyers[#buyers + 1] = user
            buyers[#buyers + 1] = digits(product.bought[user])
        end
        if #buyers > 0 then redis.call('HSET', base .. 'b:' .. id, unpack(buyers)) end
    end
end
return reply
