#include "orders_csv.hpp"

#include <flashsale/http/csv.hpp>

namespace flashsale::order {

namespace {

constexpr std::string_view header_line =
    "id,user_id,product_id,quantity,unit_price,currency,order_status,expires_at,created_at\r\n";

void append_order(std::string& out, const order& what, currency_code of_deployment) {
    http::csv_line(out)
        .text(what.id.to_string())
        .integer(what.user_id)
        .integer(what.product_id)
        .integer(what.quantity)
        .integer(what.unit_price)
        .text(what.currency.or_else(of_deployment).text())
        .text(shown(what.status))
        .text(what.expires_at ? to_rfc3339(*what.expires_at) : std::string())
        .text(to_rfc3339(what.created_at));
}

/// Makes the pieces, one of each page.
class orders_csv {
public:
    orders_csv(begun_walk all, currency_code of_deployment)
        : all_(std::move(all)), currency_(of_deployment) {
        if (!all_.complete_until) return;
        header_lines_ = "Complete-Until: " + to_rfc3339(*all_.complete_until) + "\r\n";
    }

    std::string_view header_lines() const { return header_lines_; }

    awaitable<http::body_piece> next() {
        std::string piece;
        if (!begun_) {
            begun_ = true;
            piece = header_line;
            append_all(piece, std::exchange(all_.first, {}));
            co_return piece;
        }
        auto page = co_await all_.rest->next();
        if (!page) {
            co_return std::unexpected(page.error() == errc::overloaded
                                          ? "the order database has too much to do"
                                          : "the order database does not answer");
        }
        append_all(piece, *page);
        co_return piece;
    }

private:
    void append_all(std::string& piece, const std::vector<order>& orders) const {
        for (const order& one : orders)
            append_order(piece, one, currency_);
    }

    begun_walk all_;
    const currency_code currency_;
    std::string header_lines_;
    bool begun_ = false;
};

}  // namespace

http::response csv_of(asio::io_context& io, begun_walk all, currency_code of_deployment) {
    http::response out;
    out.content_type = http::csv_content_type;
    auto source = std::make_shared<orders_csv>(std::move(all), of_deployment);
    out.header_lines = source->header_lines();
    out.stream = http::make_body_source(io, [source] { return source->next(); });
    return out;
}

}  // namespace flashsale::order
