#pragma once

#include <flashsale/base/poller.hpp>

#include "answer_ring.hpp"
#include "request_reader.hpp"
#include "session.hpp"

namespace flashsale::http {

class worker_loop;

/// One client's connection, on one worker's thread. See connection.cpp for how it works.
class connection final : public session,
                         public std::enable_shared_from_this<connection>,
                         private poller::source {
public:
    /// Owns the descriptor of a socket that does not block.
    connection(int descriptor, asio::ip::address client, worker_loop& loop);
    ~connection() override;

    void start();
    /// Answers 503 without having read anything, and closes.
    void refuse();
    /// No request after those that have begun.
    void stop();
    /// At once. After it nothing here touches the loop again.
    void close();

    void answer(std::uint64_t slot, response&& value) override;
    std::string request_name(std::uint64_t slot) const override;

    /// The end of a turn of the loop in which answers came: writes them.
    void flush_turn();
    void check_deadlines(std::chrono::steady_clock::time_point now);

    std::size_t index = 0;  ///< in the loop's list of connections

private:
    enum class phase { open, lingering, closed };
    enum class awaited { nothing, request, idle };

    bool watch();
    void ready(std::uint32_t epoll_events) override;
    void read();
    void receive();
    void received_end();
    bool wants_to_read() const;
    void pump();
    void parse();
    void dispatch(parsed_request& found);
    bool has_room() const;
    void answered(unsigned status);
    void flush_at_end_of_turn();
    void let_in(request& incoming, answer_form& form) const;
    void answer_with_stream(std::uint64_t slot, const response& value);
    void ask_for_piece();
    void take_piece(body_piece piece);
    void flush();
    void write();
    void write_rest();
    void resize_buffer(std::size_t bytes);
    void release_memory();
    void set_deadline();
    void time_out();
    void answer_last(const problem_type& type);
    void finish();
    bool is_quiet() const { return ring_.empty() && out_.empty() && !writing_; }

    int descriptor_;
    const asio::ip::address client_;
    worker_loop* loop_;
    request_reader reader_;
    answer_ring ring_;

    std::unique_ptr<char[]> in_;
    std::size_t in_capacity_ = 0;
    std::size_t in_filled_ = 0;
    std::string out_;
    std::string unwritten_;    ///< what waits for the peer to read
    std::size_t written_ = 0;  ///< of unwritten_
    std::uint64_t requests_ = 0;

    std::chrono::steady_clock::time_point read_deadline_ = never;
    std::chrono::steady_clock::time_point write_deadline_ = never;
    phase phase_ = phase::open;
    awaited awaited_ = awaited::nothing;
    bool last_request_read_ = false;  ///< whatever else arrives is ignored
    bool paused_ = false;             ///< bytes wait in in_ for answers to leave
    bool progressed_ = false;         ///< a request was completed since the deadline was set
    bool dispatching_ = false;
    bool in_turn_ = false;        ///< the loop will call flush_turn()
    bool readable_ = false;       ///< there may be something to read
    bool peer_finishes_ = false;  ///< its end is behind what can be read
    bool peer_finished_ = false;
    bool read_posted_ = false;
    bool writing_ = false;    ///< unwritten_ waits for room
    bool seen_idle_ = false;  ///< by the last sweep
    bool asked_ = false;      ///< the stream's source makes a piece

    static constexpr auto never = std::chrono::steady_clock::time_point::max();
};

}  // namespace flashsale::http
