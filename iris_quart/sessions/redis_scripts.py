"""Atomic steps of the Redis store as Lua scripts, by the server's own clock.

Each takes its time from TIME, so no client's clock matters. Times are seconds, written with microseconds.
"""

from __future__ import annotations

__all__ = [
    "ATTEMPT",
    "BEGIN",
    "CREATE",
    "END",
    "FINISH",
    "FORGIVE",
    "GET",
    "HOLD",
    "PEEK",
    "RELEASE",
    "RENEW",
    "START",
    "SWEEP",
    "TAKE",
    "TOUCH",
    "WITHDRAW",
]

_NOW = """
local t = redis.call('TIME')
local now = tonumber(t[1]) + tonumber(t[2]) / 1000000
local function text(number) return string.format('%.6f', number) end
"""

# KEYS: session, deadlines, the account's sessions, ended. ARGV: key, static fields, idle_until, absolute_until,
# credentials, prefix of session keys, key of the replaced session, most sessions, idle seconds, seconds of recent use.
# Answers '' or, when each of the account's sessions was used lately, the seconds to wait.
CREATE = f"""{_NOW}
local live = {{}}
for _, key in ipairs(redis.call('ZRANGE', KEYS[3], 0, -1)) do
    local v = redis.call('HMGET', ARGV[6] .. key, 'i', 'a')
    if not v[1] then
        redis.call('ZREM', KEYS[3], key)
    elseif key ~= ARGV[7] and math.min(tonumber(v[1]), tonumber(v[2])) > now then
        live[#live + 1] = {{key, tonumber(v[1])}}
    end
end
table.sort(live, function(one, other) return one[2] < other[2] end)
local surplus = #live - tonumber(ARGV[8]) + 1
for number = 1, surplus do
    local idle = now + tonumber(ARGV[9]) - live[number][2]
    if idle < tonumber(ARGV[10]) then return text(tonumber(ARGV[10]) - idle) end
end
for number = 1, surplus do
    local key = live[number][1]
    redis.call('DEL', ARGV[6] .. key)
    redis.call('ZREM', KEYS[2], key)
    redis.call('ZREM', KEYS[3], key)
    redis.call('XADD', KEYS[4], 'MAXLEN', '~', 10000, '*', 'k', key, 'r', 'limit')
end
redis.call('HSET', KEYS[1], 's', ARGV[2], 'i', ARGV[3], 'a', ARGV[4], 'c', ARGV[5])
redis.call('PEXPIREAT', KEYS[1], math.ceil((tonumber(ARGV[4]) + 60) * 1000))
redis.call('ZADD', KEYS[2], math.min(tonumber(ARGV[3]), tonumber(ARGV[4])), ARGV[1])
redis.call('ZADD', KEYS[3], ARGV[4], ARGV[1])
redis.call('PEXPIREAT', KEYS[3], math.ceil((tonumber(ARGV[4]) + 60) * 1000))
return ''
"""

# KEYS: sessions. Answers now, then for each session its static fields and idle deadline, or two empty texts.
GET = f"""{_NOW}
local found = {{text(now)}}
for _, key in ipairs(KEYS) do
    local v = redis.call('HMGET', key, 's', 'i', 'a')
    if v[1] and math.min(tonumber(v[2]), tonumber(v[3])) > now then
        found[#found + 1] = v[1]
        found[#found + 1] = v[2]
    else
        found[#found + 1] = ''
        found[#found + 1] = ''
    end
end
return found
"""

# KEYS: session, deadlines. ARGV: key, idle seconds. Answers like GET.
TOUCH = f"""{_NOW}
local v = redis.call('HMGET', KEYS[1], 's', 'i', 'a')
if not v[1] or math.min(tonumber(v[2]), tonumber(v[3])) <= now then return {{text(now), '', ''}} end
local idle = now + tonumber(ARGV[2])
redis.call('HSET', KEYS[1], 'i', text(idle))
redis.call('ZADD', KEYS[2], math.min(idle, tonumber(v[3])), ARGV[1])
return {{text(now), v[1], text(idle)}}
"""

# KEYS: session, deadlines, ended. ARGV: key, reason.
END = """
local there = redis.call('DEL', KEYS[1])
redis.call('ZREM', KEYS[2], ARGV[1])
if there == 1 then redis.call('XADD', KEYS[3], 'MAXLEN', '~', 10000, '*', 'k', ARGV[1], 'r', ARGV[2]) end
return there
"""

# KEYS: deadlines, ended. ARGV: prefix of session keys, grace in seconds.
SWEEP = f"""{_NOW}
local due = now - tonumber(ARGV[2])
local keys = redis.call('ZRANGEBYSCORE', KEYS[1], '-inf', due, 'LIMIT', 0, 200)
for _, key in ipairs(keys) do
    local absolute = redis.call('HGET', ARGV[1] .. key, 'a')
    local reason = 'idle'
    if absolute and tonumber(absolute) <= due then reason = 'absolute' end
    redis.call('DEL', ARGV[1] .. key)
    redis.call('ZREM', KEYS[1], key)
    redis.call('XADD', KEYS[2], 'MAXLEN', '~', 10000, '*', 'k', key, 'r', reason)
end
return #keys
"""

# KEYS: counters of user, address and pair, paces of network and all, marks of a known pair and address. ARGV: window
# in seconds, a unique word, limit by user (and pair), limit by address, interval and burst of both paces, longest wait.
# Answers 1 and the seconds to wait, or 0 and the seconds until another try may be allowed.
ATTEMPT = f"""{_NOW}
local window = tonumber(ARGV[1])
local pair_known = redis.call('EXISTS', KEYS[6]) == 1
local spared = pair_known or redis.call('EXISTS', KEYS[7]) == 1
local judged = {{{{KEYS[1], ARGV[3]}}, {{KEYS[2], ARGV[4]}}}}
if pair_known then judged = {{{{KEYS[3], ARGV[3]}}}} end
for _, counter in ipairs(judged) do
    redis.call('ZREMRANGEBYSCORE', counter[1], '-inf', text(now - window))
    local over = redis.call('ZCARD', counter[1]) - tonumber(counter[2])
    if over >= 0 then
        local oldest = redis.call('ZRANGE', counter[1], over, over, 'WITHSCORES')
        return {{0, text(math.max(1, tonumber(oldest[2]) + window - now))}}
    end
end
local wait, rests = 0, {{}}
if not spared then
    for number = 0, 1 do
        local interval, burst = tonumber(ARGV[5 + 2 * number]), tonumber(ARGV[6 + 2 * number])
        local rest = math.max(tonumber(redis.call('GET', KEYS[4 + number]) or 0), now) + interval
        wait = math.max(wait, rest - burst - now)
        rests[number] = rest
    end
    local most = tonumber(ARGV[9])
    if wait > most then return {{0, text(math.max(1, wait - most))}} end
    for number = 0, 1 do
        local milliseconds = math.ceil((rests[number] - now) * 1000) + 1000
        redis.call('SET', KEYS[4 + number], text(rests[number]), 'PX', milliseconds)
    end
end
for number = 1, 3 do
    redis.call('ZADD', KEYS[number], text(now), ARGV[2])
    redis.call('PEXPIRE', KEYS[number], math.ceil(window * 1000))
end
return {{1, text(wait)}}
"""

# KEYS: counters of user, address and pair, pace of the network, marks of a known pair and address. ARGV: interval of
# the pace, milliseconds to remember.
FORGIVE = """
for number = 1, 3 do redis.call('ZREMRANGEBYRANK', KEYS[number], -1, -1) end
local rest = redis.call('GET', KEYS[4])
-- A try at a known address took nothing of the network's pace.
if rest and redis.call('EXISTS', KEYS[6]) == 0 then
    redis.call('SET', KEYS[4], string.format('%.6f', tonumber(rest) - tonumber(ARGV[1])), 'KEEPTTL')
end
if tonumber(ARGV[2]) > 0 then
    for number = 5, 6 do redis.call('SET', KEYS[number], '1', 'PX', ARGV[2]) end
end
return 1
"""

# KEYS: transfers of an account. ARGV: place, most of them, seconds of a lease.
HOLD = f"""{_NOW}
redis.call('ZREMRANGEBYSCORE', KEYS[1], '-inf', text(now))
if redis.call('ZCARD', KEYS[1]) >= tonumber(ARGV[2]) then return 0 end
redis.call('ZADD', KEYS[1], text(now + tonumber(ARGV[3])), ARGV[1])
redis.call('PEXPIRE', KEYS[1], math.ceil(tonumber(ARGV[3]) * 1000))
return 1
"""

# KEYS: transfers of an account. ARGV: place, seconds of a lease.
RENEW = f"""{_NOW}
redis.call('ZADD', KEYS[1], 'XX', text(now + tonumber(ARGV[2])), ARGV[1])
redis.call('PEXPIRE', KEYS[1], math.ceil(tonumber(ARGV[2]) * 1000))
return 1
"""

# KEYS: ticket.
TAKE = """
local sealed = redis.call('GET', KEYS[1])
redis.call('DEL', KEYS[1])
return sealed
"""

# KEYS: write. ARGV: fingerprint, worker, milliseconds to keep after now, seconds at which the id was made, state, when
# the command arrived, prefix of workers' keys, milliseconds that a worker is alive after it was last heard, 0 when this
# worker runs no write of this id. Answers nothing when the id is now this worker's.
BEGIN = f"""{_NOW}
redis.call('SET', ARGV[7] .. ARGV[2], '', 'PX', ARGV[8])
local v = redis.call('HMGET', KEYS[1], 'state', 'fingerprint', 'answer', 'worker', 'at')
if v[1] then
    local alive = redis.call('EXISTS', ARGV[7] .. v[4])
    local free = v[1] == 'claimed' and (alive == 0 or (v[4] == ARGV[2] and ARGV[9] == '0'))
    -- The arrival is of a worker's own clock, which may be ahead of this one by a part of a round trip.
    if v[1] == 'released' and tonumber(v[5]) + 0.25 < tonumber(ARGV[6]) then free = true end
    if not free or v[2] ~= ARGV[1] then return {{v[1], v[2], v[3], v[4], alive}} end
end
redis.call('DEL', KEYS[1])
redis.call('HSET', KEYS[1], 'state', ARGV[5], 'fingerprint', ARGV[1], 'answer', '', 'worker', ARGV[2])
redis.call('PEXPIRE', KEYS[1], math.ceil(tonumber(ARGV[3]) + math.max(0, tonumber(ARGV[4]) - now) * 1000))
return {{}}
"""

# KEYS: write. ARGV: worker.
START = """
local v = redis.call('HMGET', KEYS[1], 'state', 'worker')
if v[1] ~= 'claimed' or v[2] ~= ARGV[1] then return 0 end
redis.call('HSET', KEYS[1], 'state', 'started')
return 1
"""

# KEYS: write. ARGV: fingerprint, answer, state, milliseconds to keep, prefix of workers' keys. Answers nothing when the
# answer is stored.
WITHDRAW = f"""{_NOW}
local v = redis.call('HMGET', KEYS[1], 'state', 'fingerprint', 'answer', 'worker')
if v[1] and (v[1] ~= 'claimed' or v[2] ~= ARGV[1]) then
    return {{v[1], v[2], v[3], v[4], redis.call('EXISTS', ARGV[5] .. v[4])}}
end
redis.call('HSET', KEYS[1], 'state', ARGV[3], 'fingerprint', ARGV[1], 'answer', ARGV[2], 'worker', '', 'at', text(now))
redis.call('PEXPIRE', KEYS[1], ARGV[4])
return {{}}
"""

# KEYS: write. ARGV: worker.
RELEASE = """
local v = redis.call('HMGET', KEYS[1], 'state', 'worker')
if (v[1] == 'claimed' or v[1] == 'started') and v[2] == ARGV[1] then redis.call('DEL', KEYS[1]) end
return 1
"""

# KEYS: write. ARGV: prefix of workers' keys.
PEEK = """
local v = redis.call('HMGET', KEYS[1], 'state', 'fingerprint', 'answer', 'worker')
if not v[1] then return {} end
return {v[1], v[2], v[3], v[4], redis.call('EXISTS', ARGV[1] .. v[4])}
"""

# KEYS: write. ARGV: state, answer, milliseconds to keep, worker, and the fingerprint for when the claim was lost, which
# only the worker that runs the write knows; others neither make a record nor replace an end that is known.
FINISH = f"""{_NOW}
local v = redis.call('HMGET', KEYS[1], 'state', 'worker')
if ARGV[5] == '' then
    if not v[1] or v[1] == 'done' then return 0 end
elseif v[1] and v[2] ~= ARGV[4] then
    return 0
end
redis.call('HSET', KEYS[1], 'state', ARGV[1], 'answer', ARGV[2], 'at', text(now))
redis.call('HSETNX', KEYS[1], 'fingerprint', ARGV[5])
redis.call('HSETNX', KEYS[1], 'worker', ARGV[4])
if redis.call('PTTL', KEYS[1]) < tonumber(ARGV[3]) then redis.call('PEXPIRE', KEYS[1], ARGV[3]) end
return 1
"""
