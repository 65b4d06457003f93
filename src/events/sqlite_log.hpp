#pragma once

// What the log's two ends share.

#include <flashsale/events/sqlite.hpp>

#include <condition_variable>
#include <mutex>
#include <vector>

#include <flashsale/sqlite.hpp>

namespace flashsale::events {

/// One worker's end. Outlives its producer for as long as events of it are on their way.
struct sqlite_producer_end {
    asio::io_context& reply_on;
    std::function<void(std::span<const confirmation>)> confirmed;  // on reply_on's thread alone
};

struct sqlite_waiting_event {
    std::shared_ptr<sqlite_producer_end> from;
    std::string text;
    std::uint64_t ticket;
};

struct sqlite_log_state {
    explicit sqlite_log_state(const sqlite_log_options& given) : options(given) {}

    const sqlite_log_options options;
    mutable std::mutex mutex;
    std::condition_variable work;   // for the writer: waiting, recorded or stopping changed
    std::condition_variable fresh;  // for the reader: durable or interrupted changed

    // --- under mutex ---
    std::vector<sqlite_waiting_event> waiting;
    std::uint64_t appended = 0;  // events since the start
    std::uint64_t durable = 0;   // position of the last row that is committed
    std::size_t unread = 0;      // events committed since the start and not handed out
    std::uint64_t recorded = 0;  // acknowledged: rows up to here may go
    bool stopping = false;       // nothing is taken over any more
    deadline stop_until;         // then what still waits ends as unknown
    bool interrupted = false;
    std::string fault = "not started";  ///< of the writer, for people
};

std::unique_ptr<log> make_sqlite_writer(std::shared_ptr<sqlite_log_state> shared,
                                        sqlite::database file);
std::unique_ptr<reader> make_sqlite_reader(std::shared_ptr<sqlite_log_state> shared);

/// Inside a transaction: rows up to `recorded` go, and the cursor moves there.
std::expected<void, sqlite::error> forget_up_to(sqlite::database& in, std::uint64_t recorded);

/// The events of a row, poison in their places.
std::vector<entry> decode_row(std::string_view events);

sqlite::options file_options(const sqlite_log_options& from);

}  // namespace flashsale::events
