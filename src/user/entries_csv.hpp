#pragma once

// All entries of a user as CSV, made while they are sent.

#include <flashsale/http.hpp>
#include <flashsale/user/store.hpp>

namespace flashsale::user {

/// All entries of a user, newest first, page by page. One call of next() at a time.
class entry_walk {
public:
    entry_walk(store& record, std::int64_t user_id) : store_(record), user_id_(user_id) {}

    /// An empty page: there are no more.
    awaitable<std::expected<std::vector<balance_entry>, store_errc>> next();

private:
    store& store_;
    const std::int64_t user_id_;
    std::optional<std::int64_t> before_;  // the last page ends with it
};

/// The answer 200 with the first page and what comes after it, a header line first.
http::response csv_of(asio::io_context& io, std::unique_ptr<entry_walk> rest,
                      std::vector<balance_entry> first);

}  // namespace flashsale::user
