#include "entries_csv.hpp"

#include <flashsale/http/csv.hpp>

#include <utility>

namespace flashsale::user {

namespace {

constexpr std::string_view header_line =
    "id,user_id,kind,amount,balance,created_at,order_id,payment_id\r\n";
constexpr std::int64_t entries_per_page = 1'000;

std::string text_of(const std::optional<uuid>& id) {
    return id ? id->to_string() : std::string();
}

void append_entries(std::string& out, const std::vector<balance_entry>& entries) {
    for (const balance_entry& one : entries) {
        http::csv_line(out)
            .integer(one.id)
            .integer(one.user_id)
            .text(one.kind)
            .integer(one.amount)
            .integer(one.balance)
            .text(to_rfc3339(one.created_at))
            .text(text_of(one.order_id))
            .text(text_of(one.payment_id));
    }
}

/// Makes the pieces, one of each page.
class entries_csv {
public:
    entries_csv(std::unique_ptr<entry_walk> rest, std::vector<balance_entry> first)
        : rest_(std::move(rest)), first_(std::move(first)) {}

    awaitable<http::body_piece> next() {
        std::string piece;
        if (!begun_) {
            begun_ = true;
            piece = header_line;
            append_entries(piece, std::exchange(first_, {}));
            co_return piece;
        }
        const auto page = co_await rest_->next();
        if (!page) {
            co_return std::unexpected(page.error() == store_errc::overloaded
                                          ? "the user database has too much to do"
                                          : "the user database does not answer");
        }
        append_entries(piece, *page);
        co_return piece;
    }

private:
    const std::unique_ptr<entry_walk> rest_;
    std::vector<balance_entry> first_;
    bool begun_ = false;
};

}  // namespace

awaitable<std::expected<std::vector<balance_entry>, store_errc>> entry_walk::next() {
    auto page = co_await store_.entries(user_id_, before_, entries_per_page);
    if (page && !page->empty()) before_ = page->back().id;
    co_return page;
}

http::response csv_of(asio::io_context& io, std::unique_ptr<entry_walk> rest,
                      std::vector<balance_entry> first) {
    http::response out;
    out.content_type = http::csv_content_type;
    auto source = std::make_shared<entries_csv>(std::move(rest), std::move(first));
    out.stream = http::make_body_source(io, [source] { return source->next(); });
    return out;
}

}  // namespace flashsale::user
