#include "connection.hpp"

#include <amqp_tcp_socket.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/socket.h>

#include <array>
#include <charconv>
#include <ctime>
#include <new>

#include <flashsale/base/fault_points.hpp>
#include <flashsale/base/resolve.hpp>

#include "table.hpp"

namespace flashsale::amqp {

namespace {

constexpr int frame_bytes_max = 131'072;
constexpr int frame_overhead_bytes = 8;
constexpr int send_buffer_bytes = 1'024 * 1'024;
constexpr std::uint8_t persistent = 2;

timeval to_timeval(std::chrono::milliseconds time) {
    return {time.count() / 1'000, (time.count() % 1'000) * 1'000};
}

std::string close_text(std::uint16_t code, const amqp_bytes_t& text) {
    return std::to_string(code) + " " + std::string(to_view(text));
}

}  // namespace

std::string describe(const amqp_rpc_reply_t& reply) {
    switch (reply.reply_type) {
        case AMQP_RESPONSE_NORMAL:
            return "no error";
        case AMQP_RESPONSE_NONE:
            return "no reply";
        case AMQP_RESPONSE_LIBRARY_EXCEPTION:
            return amqp_error_string2(reply.library_error);
        case AMQP_RESPONSE_SERVER_EXCEPTION:
            break;
    }
    if (reply.reply.id == AMQP_CONNECTION_CLOSE_METHOD) {
        const auto& close = *static_cast<amqp_connection_close_t*>(reply.reply.decoded);
        return close_text(close.reply_code, close.reply_text);
    }
    if (reply.reply.id == AMQP_CHANNEL_CLOSE_METHOD) {
        const auto& close = *static_cast<amqp_channel_close_t*>(reply.reply.decoded);
        return close_text(close.reply_code, close.reply_text);
    }
    return "the server answered an unexpected method";
}

connection::connection(watchdog& dog) : dog_(dog), state_(amqp_new_connection()) {
    if (!state_) throw std::bad_alloc();
}

connection::~connection() {
    dog_.forget();
    amqp_destroy_connection(state_);
}

std::expected<std::unique_ptr<connection>, std::string> connection::open(const options& settings,
                                                                         const server& where,
                                                                         watchdog& dog) {
    std::unique_ptr<connection> made(new connection(dog));
    amqp_socket_t* socket = amqp_tcp_socket_new(made->state_);
    if (!socket) return std::unexpected("no memory for a socket");
    if (auto done = made->connect(socket, settings, where); !done)
        return std::unexpected(done.error());
    dog.watch(made->fd());

    // A peer that vanished, or stopped reading for good, becomes an error within seconds.
    const auto vanished_ms = static_cast<unsigned>(settings.stall_timeout.count());
    ::setsockopt(made->fd(), IPPROTO_TCP, TCP_USER_TIMEOUT, &vanished_ms, sizeof vanished_ms);
    ::setsockopt(made->fd(), SOL_SOCKET, SO_SNDBUF, &send_buffer_bytes, sizeof send_buffer_bytes);

    if (auto done = made->log_in(settings, where); !done) return std::unexpected(done.error());
    return made;
}

/// The library would have one time limit for all addresses of a name: one that does not answer
/// would keep it from the next, at each attempt.
status connection::connect(amqp_socket_t* socket, const options& settings, const server& where) {
    const timeval patience = to_timeval(settings.connect_timeout);
    const auto addresses = addresses_of(where.host);
    if (!addresses) return std::unexpected(addresses.error());
    int code = AMQP_STATUS_OK;
    for (const std::string& address : *addresses) {
        code = amqp_socket_open_noblock(socket, address.c_str(), where.port, &patience);
        if (code == AMQP_STATUS_OK) return {};
    }
    return std::unexpected("cannot connect to " + where.name() + ": " + amqp_error_string2(code));
}

status connection::log_in(const options& settings, const server& where) {
    const timeval handshake = to_timeval(settings.connect_timeout);
    const timeval call = to_timeval(settings.stall_timeout);
    amqp_set_handshake_timeout(state_, &handshake);
    amqp_set_rpc_timeout(state_, &call);

    std::array capabilities{flag("connection.blocked"), flag("consumer_cancel_notify"),
                            flag("basic.nack"), flag("publisher_confirms")};
    std::array properties{nested("capabilities", table(capabilities)),
                          text("connection_name", settings.connection_name)};
    const amqp_table_t client = table(properties);

    const auto heartbeat = std::chrono::ceil<std::chrono::seconds>(settings.heartbeat).count();
    const auto log_in = [&] {
        const watchdog::inside guard(dog_);
        return amqp_login_with_properties(
            state_, where.vhost.c_str(), 0, frame_bytes_max, static_cast<int>(heartbeat), &client,
            AMQP_SASL_METHOD_PLAIN, where.user.c_str(), where.password.c_str());
    };
    const auto reply = log_in();
    if (reply.reply_type != AMQP_RESPONSE_NORMAL)
        return std::unexpected("cannot log in at " + where.name() + " as " + where.user + ": " +
                               describe(reply));
    const watchdog::inside guard(dog_);
    amqp_channel_open(state_, channel);
    return reply_status("open a channel");
}

status connection::reply_status(std::string_view doing) {
    const auto reply = amqp_get_rpc_reply(state_);
    if (reply.reply_type == AMQP_RESPONSE_NORMAL) return {};
    return std::unexpected("cannot " + std::string(doing) + ": " + describe(reply));
}

std::expected<connection::queue_levels, std::string> connection::look_at(const std::string& queue) {
    constexpr int passive = 1;
    const watchdog::inside guard(dog_);
    const auto* found =
        amqp_queue_declare(state_, channel, to_bytes(queue), passive, 1, 0, 0, amqp_empty_table);
    if (found) return queue_levels{found->message_count, found->consumer_count};
    auto why = reply_status("look at " + queue);
    return std::unexpected(why ? "no reply" : why.error());
}

status connection::confirm_select() {
    const watchdog::inside guard(dog_);
    amqp_confirm_select(state_, channel);
    return reply_status("switch confirms on");
}

status connection::consume(const std::string& queue, std::uint16_t prefetch_messages) {
    const watchdog::inside guard(dog_);
    amqp_basic_qos(state_, channel, 0, prefetch_messages, 0);
    if (auto done = reply_status("set the prefetch"); !done) return done;
    amqp_basic_consume(state_, channel, to_bytes(queue), amqp_empty_bytes, 0, 0, 0,
                       amqp_empty_table);
    return reply_status("consume " + queue);
}

std::expected<bool, std::string> connection::next_frame(amqp_frame_t& frame) {
    for (;;) {
        amqp_maybe_release_buffers(state_);
        const timeval now{0, 0};  // a true poll; a null pointer would wait without limit
        int code;
        {
            const watchdog::inside guard(dog_);
            code = amqp_simple_wait_frame_noblock(state_, &frame, &now);
        }
        if (code == AMQP_STATUS_TIMEOUT) return false;
        if (code != AMQP_STATUS_OK) return std::unexpected(std::string(amqp_error_string2(code)));
        if (frame.frame_type == AMQP_FRAME_METHOD) {
            const auto id = frame.payload.method.id;
            if (id == AMQP_CONNECTION_CLOSE_METHOD || id == AMQP_CHANNEL_CLOSE_METHOD)
                return std::unexpected(refused_by_server(frame));
            if (id == AMQP_CONNECTION_BLOCKED_METHOD) {
                const auto& why =
                    *static_cast<amqp_connection_blocked_t*>(frame.payload.method.decoded);
                blocked_ = why.reason.len > 0 ? to_view(why.reason) : "no reason given";
            }
            if (id == AMQP_CONNECTION_UNBLOCKED_METHOD) blocked_.clear();
        }
        if (frame.channel == channel) return true;
    }
}

std::string connection::refused_by_server(const amqp_frame_t& frame) {
    const watchdog::inside guard(dog_);
    if (frame.payload.method.id == AMQP_CONNECTION_CLOSE_METHOD) {
        const auto& close = *static_cast<amqp_connection_close_t*>(frame.payload.method.decoded);
        amqp_connection_close_ok_t ok{};
        amqp_send_method(state_, 0, AMQP_CONNECTION_CLOSE_OK_METHOD, &ok);
        return "the server closed the connection: " +
               close_text(close.reply_code, close.reply_text);
    }
    const auto& close = *static_cast<amqp_channel_close_t*>(frame.payload.method.decoded);
    amqp_channel_close_ok_t ok{};
    amqp_send_method(state_, frame.channel, AMQP_CHANNEL_CLOSE_OK_METHOD, &ok);
    return "the server closed the channel: " + close_text(close.reply_code, close.reply_text);
}

bool connection::writable() const {
    pollfd ready{fd(), POLLOUT, 0};
    // An error counts as writable: the publish will name it.
    return ::poll(&ready, 1, 0) != 0;
}

status connection::publish(const std::string& exchange, const message& what, std::uint64_t number) {
    char digits[20];
    const char* end = std::to_chars(digits, digits + sizeof digits, number).ptr;
    amqp_basic_properties_t properties{};
    properties._flags = AMQP_BASIC_CONTENT_TYPE_FLAG | AMQP_BASIC_DELIVERY_MODE_FLAG |
                        AMQP_BASIC_MESSAGE_ID_FLAG | AMQP_BASIC_TIMESTAMP_FLAG;
    properties.content_type = amqp_cstring_bytes("application/json");
    properties.delivery_mode = persistent;
    // A return does not carry the message's number: this is how it is matched.
    properties.message_id = to_bytes({digits, end});
    properties.timestamp = static_cast<std::uint64_t>(std::time(nullptr));

    const int mandatory = !faults::without(faults::guard::mandatory);
    const watchdog::inside guard(dog_);
    const int code =
        amqp_basic_publish(state_, channel, to_bytes(exchange), to_bytes(what.routing_key),
                           mandatory, 0, &properties, to_bytes(what.body));
    if (code != AMQP_STATUS_OK)
        return std::unexpected(std::string("publish: ") + amqp_error_string2(code));
    // The library flags every full frame as "more follows"; when none does, the kernel would hold
    // it for 200 ms. Setting the option again pushes it out.
    const auto frame_payload =
        static_cast<std::size_t>(amqp_get_frame_max(state_) - frame_overhead_bytes);
    if (what.body.size() % frame_payload == 0) {
        const int on = 1;
        ::setsockopt(fd(), IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    }
    return {};
}

status connection::acknowledge_up_to(std::uint64_t delivery_tag) {
    const watchdog::inside guard(dog_);
    const int code = amqp_basic_ack(state_, channel, delivery_tag, 1);
    if (code == AMQP_STATUS_OK) return {};
    return std::unexpected(std::string("acknowledge: ") + amqp_error_string2(code));
}

status connection::reject(std::uint64_t delivery_tag) {
    const watchdog::inside guard(dog_);
    const int code = amqp_basic_reject(state_, channel, delivery_tag, 0);
    if (code == AMQP_STATUS_OK) return {};
    return std::unexpected(std::string("reject: ") + amqp_error_string2(code));
}

void connection::close(std::chrono::milliseconds patience) {
    const timeval call = to_timeval(patience);
    amqp_set_rpc_timeout(state_, &call);
    const watchdog::inside guard(dog_);
    amqp_connection_close(state_, AMQP_REPLY_SUCCESS);
}

}  // namespace flashsale::amqp
