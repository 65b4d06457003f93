#include "gate_answers.hpp"

#include <spdlog/spdlog.h>

namespace flashsale::stock {

gate_answer shard_epochs::note(std::uint32_t shard, gate_answer what) {
    return shards_[shard].answer.exchange(what);
}

std::optional<gate_answer> answer_of(const script_status& status, std::uint64_t epoch) {
    switch (status.what) {
        case script_status::kind::open:
            return gate_answer::open;
        case script_status::kind::closed:
            return gate_answer::closed;
        case script_status::kind::stale:
            if (status.epoch < epoch) return gate_answer::older;
            break;
        case script_status::kind::malformed:
            break;
    }
    return std::nullopt;
}

std::string fault_of(gate_answer last) {
    switch (last) {
        case gate_answer::none:
            return "redis: the gate has not answered yet";
        case gate_answer::older:
            return "redis: the gate is of an older epoch than the record, and closed until it "
                   "is rebuilt";
        default:
            return "redis: the gate is closed until it is rebuilt";
    }
}

std::expected<void, errc> given_by(const redis::value& reply) {
    if (reply.elements.size() == 1) return {};
    return std::unexpected(errc::already_granted);
}

std::expected<void, errc> units_of(std::expected<void, errc> given) {
    if (!given && given.error() == errc::already_granted) return {};
    return given;
}

void tell_answer(shard_epochs& in, std::uint32_t shard, gate_answer last, std::string_view header) {
    const gate_answer before = in.note(shard, last);
    if (before == last) return;
    if (last == gate_answer::closed) {
        spdlog::error("the gate {} is closed: Redis lost, changed or exchanged its data", header);
    } else if (last == gate_answer::older) {
        spdlog::error("the gate {} is older than the record: a copy, or one that was left behind",
                      header);
    } else if (before != gate_answer::none) {
        spdlog::info("the gate {} is open", header);
    }
}

}  // namespace flashsale::stock
