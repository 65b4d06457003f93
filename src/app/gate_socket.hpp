#pragma once

// The gate in memory, for the audit, which is another process: a socket answers what the audit asks
// of any gate. Its name is in the file `gate` of the data folder, made up anew by each start, and
// in no folder: nothing is left behind there that a copy or a backup trips over. It is seen in the
// network namespace alone (`docker exec` is inside). Each end looks which user the other one is:
// one that is not its own gets no answer, and is not believed if it takes the name over.
//
// A line of JSON is answered by a line of JSON, one client at a time:
//   {"products":[7,8]}   {"epoch":3,"seq":41,"products":[[990,1000],null]}   free and supplied
//   {"outbox":"17"}      {"events":["…"],"next_cursor":""}

#include <boost/asio/basic_socket_acceptor.hpp>
#include <boost/asio/basic_stream_socket.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/local/stream_protocol.hpp>

#include <filesystem>
#include <memory>

#include <flashsale/base/async.hpp>
#include <flashsale/stock/gate_outbox.hpp>
#include <flashsale/stock/gate_view.hpp>

namespace flashsale::app {

/// Answers on `io`'s thread, which is the gate's.
class gate_socket {
public:
    /// Throws std::runtime_error if it cannot listen.
    /// The folder is locked by this process.
    gate_socket(asio::io_context& io, stock::gate_levels& gate, stock::outbox_pages& outbox,
                const std::filesystem::path& folder);
    ~gate_socket();

    void start();
    /// On `io`'s thread, or when that has ended.
    void stop();

private:
    awaitable<> serve();
    awaitable<> serve_client();
    awaitable<std::string> answer(std::string_view question);

    stock::gate_levels& gate_;
    stock::outbox_pages& outbox_;
    std::filesystem::path name_file_;
    asio::basic_socket_acceptor<asio::local::stream_protocol, executor> acceptor_;
    asio::basic_stream_socket<asio::local::stream_protocol, executor> client_;
};

/// What the audit asks of a gate.
class readable_gate : public stock::gate_levels, public stock::outbox_pages {};

/// The other end, for a thread that may wait: answers come from inside the call. Throws
/// std::runtime_error if no process listens.
std::unique_ptr<readable_gate> connect_to_gate(const std::filesystem::path& folder);

}  // namespace flashsale::app
