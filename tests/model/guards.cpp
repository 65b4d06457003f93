#include "guards.hpp"

#include <array>
#include <utility>

namespace flashsale::model {

namespace {

constexpr std::array<std::pair<guard, std::string_view>, 28> names{{
    {guard::outbox, "outbox"},
    {guard::idempotency, "idempotency"},
    {guard::returning, "returning"},
    {guard::server_identity, "server_identity"},
    {guard::epoch, "epoch"},
    {guard::wait_d, "wait-d"},
    {guard::barrier, "barrier"},
    {guard::mandatory, "mandatory"},
    {guard::ack_after_both, "ack-after-both"},
    {guard::supplied, "supplied"},
    {guard::cut_at_barrier, "cut-at-barrier"},
    {guard::survivors, "survivors"},
    {guard::fences_last, "fences-last"},
    {guard::fences_held, "fences-held"},
    {guard::begun, "begun"},
    {guard::unbinding, "unbinding"},
    {guard::own_token, "own-token"},
    {guard::return_stops, "return-stops"},
    {guard::fresh_token, "fresh-token"},
    {guard::fence_looked_at, "fence-looked-at"},
    {guard::newest_gate, "newest-gate"},
    {guard::compare_and_set, "compare-and-set"},
    {guard::one_decision, "one-decision"},
    {guard::entry_once, "entry-once"},
    {guard::movement_once, "movement-once"},
    {guard::cumulative, "cumulative"},
    {guard::return_due, "return-due"},
    {guard::newest_told, "newest-told"},
}};

/// What the scripts have in place of a guard when it is gone.
struct cut {
    guard what;
    std::string_view text;
    std::string_view instead;
};
constexpr std::array cuts{
    cut{guard::outbox, "redis.call('HSET', outbox_key, unpack(entries))", ""},
    cut{guard::idempotency, "if record then", "if false then"},
    cut{guard::server_identity, "header[3] ~= server", "false"},
    cut{guard::server_identity, "if not same then", "if false then"},
    cut{guard::supplied, "redis.call('HSET', key, 'supplied', supplied)", ""},
    cut{guard::cumulative,
        "redis.call('HSET', root .. epoch .. ':v:' .. ARGV[at], user, ARGV[at + 2])", ""},
};

}  // namespace

std::string_view name_of(guard one) {
    for (const auto& [value, name] : names) {
        if (value == one) return name;
    }
    return "none";
}

std::optional<guard> guard_of(std::string_view name) {
    for (const auto& [value, known] : names) {
        if (known == name) return value;
    }
    return std::nullopt;
}

std::span<const guard> all_guards() {
    static const auto all = [] {
        std::array<guard, names.size()> out{};
        for (std::size_t i = 0; i < names.size(); ++i)
            out[i] = names[i].first;
        return out;
    }();
    return all;
}

bool is_of_life(guard one) {
    return one >= guard::compare_and_set;
}

bool is_of_scripts(guard one) {
    for (const cut& each : cuts) {
        if (each.what == one) return true;
    }
    return false;
}

std::string script_without(guard one, std::string source) {
    for (const cut& each : cuts) {
        if (each.what != one) continue;
        for (auto at = source.find(each.text); at != std::string::npos;
             at = source.find(each.text, at + each.instead.size())) {
            source.replace(at, each.text.size(), each.instead);
        }
    }
    return source;
}

}  // namespace flashsale::model
