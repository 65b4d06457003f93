#include <array>

#include "connection.hpp"
#include "table.hpp"

namespace flashsale::amqp {

// Declaring what exists already is a no-op if it is equal, and an error that names the difference
// if it is not: nothing that holds messages is ever changed or deleted from here.
//
// What the queue takes of the exchange is not declared, unless it is one key for ever: a binding
// that every connection makes is one that cannot be taken away.
status connection::declared(const std::string& what) {
    const auto reply = amqp_get_rpc_reply(state_);
    if (reply.reply_type == AMQP_RESPONSE_NORMAL) return {};
    const std::string reason = describe(reply);
    if (!reason.starts_with("406 "))
        return std::unexpected("cannot declare the " + what + ": " + reason);
    if (reason.find("alternate-exchange") != std::string::npos)
        return std::unexpected("the " + what + " is another deployment's: " + reason);
    return std::unexpected("the " + what +
                           " exists, but not as this process declares it: " + reason);
}

status connection::bind(const topology& names, std::string_view key) {
    const watchdog::inside guard(dog_);
    amqp_queue_bind(state_, channel, to_bytes(names.queue), to_bytes(names.exchange), to_bytes(key),
                    amqp_empty_table);
    return declared("binding of " + names.queue + " to " + names.exchange);
}

status connection::unbind(const topology& names, std::string_view key) {
    const watchdog::inside guard(dog_);
    amqp_queue_unbind(state_, channel, to_bytes(names.queue), to_bytes(names.exchange),
                      to_bytes(key), amqp_empty_table);
    return reply_status("unbind " + names.queue + " from " + names.exchange);
}

status connection::declare(const topology& names) {
    const auto exchange = [&](const std::string& name, const char* type, amqp_table_t arguments) {
        const watchdog::inside guard(dog_);
        amqp_exchange_declare(state_, channel, to_bytes(name), amqp_cstring_bytes(type), 0, 1, 0, 0,
                              arguments);
        return declared("exchange " + name);
    };
    const auto queue = [&](const std::string& name, amqp_table_t arguments) {
        const watchdog::inside guard(dog_);
        amqp_queue_declare(state_, channel, to_bytes(name), 0, 1, 0, 0, arguments);
        return declared("queue " + name);
    };

    std::array quorum{text("x-queue-type", "quorum")};
    // At-least-once dead-lettering asks for reject-publish.
    std::array main{text("x-queue-type", "quorum"),
                    flag("x-single-active-consumer"),
                    number("x-delivery-limit", names.delivery_limit),
                    text("x-dead-letter-exchange", names.dead_letter_exchange),
                    text("x-dead-letter-strategy", "at-least-once"),
                    text("x-overflow", "reject-publish")};

    std::array owned{text("alternate-exchange", names.owner)};

    if (auto ok = exchange(names.dead_letter_exchange, "fanout", amqp_empty_table); !ok) return ok;
    if (auto ok = queue(names.dead_letter_queue, table(quorum)); !ok) return ok;
    {
        const watchdog::inside guard(dog_);
        amqp_queue_bind(state_, channel, to_bytes(names.dead_letter_queue),
                        to_bytes(names.dead_letter_exchange), amqp_empty_bytes, amqp_empty_table);
    }
    if (auto ok = declared("binding of " + names.dead_letter_queue); !ok) return ok;
    if (auto ok = exchange(names.exchange, "direct",
                           names.owner.empty() ? amqp_empty_table : table(owned));
        !ok)
        return ok;
    if (auto ok = queue(names.queue, table(main)); !ok) return ok;
    if (!names.replaced_exchange.empty()) {
        const watchdog::inside guard(dog_);
        amqp_exchange_delete(state_, channel, to_bytes(names.replaced_exchange), 0);
        if (auto ok = reply_status("remove the exchange " + names.replaced_exchange); !ok)
            return ok;
    }
    if (names.binding_key.empty()) return {};
    return bind(names, names.binding_key);
}

}  // namespace flashsale::amqp
