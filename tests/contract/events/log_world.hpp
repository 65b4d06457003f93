#pragma once

#include <flashsale/events/amqp.hpp>
#include <flashsale/events/sqlite.hpp>

#include <boost/asio/io_context.hpp>

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "scratch_folder.hpp"

namespace flashsale::test {

enum class log_adapter { amqp, sqlite };

/// A fresh log of either kind, with the worker's and the recorder's parts played by the test.
class log_world {
public:
    explicit log_world(log_adapter kind);
    ~log_world();

    /// As a process that has died and was started again finds it: what was handed out and not
    /// acknowledged comes again.
    void restart();

    events::log& log() { return *log_; }
    events::reader& reader() { return *reader_; }

    /// One worker's end of the log.
    class worker {
    public:
        explicit worker(events::log& to);
        /// Appends the event with this seq under a ticket of the same number.
        bool append(std::uint64_t seq, const uuid& token = {}, bool now = true);
        void flush();
        bool append_text(std::string text, std::uint64_t ticket);
        /// Until every ticket is answered.
        void wait_for_answers();
        void poll();
        /// Gives up its end; the thread goes on.
        void leave() { producer_.reset(); }
        const std::map<std::uint64_t, std::vector<events::outcome>>& answers() const {
            return answers_;
        }
        bool all_durable() const;

    private:
        asio::io_context& io_;
        asio::executor_work_guard<executor> work_{io_.get_executor()};
        std::map<std::uint64_t, std::vector<events::outcome>> answers_;
        std::size_t appended_ = 0, answered_ = 0;
        std::unique_ptr<events::log::producer> producer_;
    };

    /// Reads until `events` came or a minute passed; positions go to `last_position`.
    std::vector<events::entry> read(std::size_t events);
    std::uint64_t last_position = 0;

private:
    void start();

    log_adapter kind_;
    scratch_folder folder_;
    std::string names_;
    std::unique_ptr<events::sqlite_log> sqlite_;
    std::unique_ptr<events::log> amqp_log_;
    std::unique_ptr<events::reader> amqp_reader_;
    events::log* log_ = nullptr;
    events::reader* reader_ = nullptr;
};

/// A complete event whose seq is told apart in what comes back.
std::string numbered_event(std::uint64_t seq);
std::vector<std::uint64_t> seqs_of(const std::vector<events::entry>& entries);
std::vector<std::uint64_t> numbers(std::uint64_t first, std::uint64_t last);

}  // namespace flashsale::test
