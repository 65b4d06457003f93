#include <array>

#include "connection.hpp"
#include "table.hpp"

namespace flashsale::amqp {

namespace {

constexpr std::chrono::milliseconds farewell_patience{500};

}  // namespace

// Declaring what exists already is a no-op if it is equal, and an error that names the difference
// if it is not: nothing that holds messages is ever changed or deleted from here.
status connection::declare(const topology& names) {
    const auto declared = [this](const std::string& what) -> status {
        const auto reply = amqp_get_rpc_reply(state_);
        if (reply.reply_type == AMQP_RESPONSE_NORMAL) return {};
        const std::string reason = describe(reply);
        if (reason.starts_with("406 "))
            return std::unexpected("the " + what +
                                   " exists, but not as this process declares it: " + reason);
        return std::unexpected("cannot declare the " + what + ": " + reason);
    };
    const auto exchange = [&](const std::string& name, const char* type) {
        const watchdog::inside guard(dog_);
        amqp_exchange_declare(state_, channel, to_bytes(name), amqp_cstring_bytes(type), 0, 1, 0, 0,
                              amqp_empty_table);
        return declared("exchange " + name);
    };
    const auto queue = [&](const std::string& name, amqp_table_t arguments) {
        const watchdog::inside guard(dog_);
        amqp_queue_declare(state_, channel, to_bytes(name), 0, 1, 0, 0, arguments);
        return declared("queue " + name);
    };
    const auto bind = [&](const std::string& to, const std::string& from, std::string_view key) {
        const watchdog::inside guard(dog_);
        amqp_queue_bind(state_, channel, to_bytes(to), to_bytes(from), to_bytes(key),
                        amqp_empty_table);
        return declared("binding of " + to + " to " + from);
    };

    std::array quorum{text("x-queue-type", "quorum")};
    // At-least-once dead-lettering asks for reject-publish.
    std::array main{text("x-queue-type", "quorum"),
                    flag("x-single-active-consumer"),
                    number("x-delivery-limit", names.delivery_limit),
                    text("x-dead-letter-exchange", names.dead_letter_exchange),
                    text("x-dead-letter-strategy", "at-least-once"),
                    text("x-overflow", "reject-publish")};

    if (auto ok = exchange(names.dead_letter_exchange, "fanout"); !ok) return ok;
    if (auto ok = queue(names.dead_letter_queue, table(quorum)); !ok) return ok;
    if (auto ok = bind(names.dead_letter_queue, names.dead_letter_exchange, ""); !ok) return ok;
    if (auto ok = exchange(names.exchange, "topic"); !ok) return ok;
    if (auto ok = queue(names.queue, table(main)); !ok) return ok;
    return bind(names.queue, names.exchange, names.binding_key);
}

std::expected<void, std::string> declare(const options& settings, const topology& names) {
    watchdog dog(settings.stall_timeout);
    auto made = connection::open(settings, parse_url(settings.url), dog);
    if (!made) return std::unexpected(made.error());
    auto done = (*made)->declare(names);
    if (done) (*made)->close(farewell_patience);
    return done;
}

std::expected<void, std::string> reach(const options& settings) {
    watchdog dog(settings.stall_timeout);
    auto made = connection::open(settings, parse_url(settings.url), dog);
    if (!made) return std::unexpected(made.error());
    (*made)->close(farewell_patience);
    return {};
}

}  // namespace flashsale::amqp
