#include <flashsale/order/module.hpp>
#include <flashsale/postgres.hpp>

namespace flashsale::order {

namespace {

constexpr std::size_t rows_per_piece = 10'000;

std::expected<void, std::string> stream(postgres::session& database, std::string_view sql,
                                        const std::function<void(const postgres::rows&)>& each) {
    auto done = database.stream(sql, rows_per_piece, each);
    if (!done) return std::unexpected("order database: " + done.error().message);
    return {};
}

}  // namespace

std::expected<void, std::string> for_each_order(postgres::session& database,
                                                const std::function<void(recorded_order)>& each) {
    return stream(database,
                  "SELECT id, user_id, product_id, quantity, idempotency_key, generation, seq"
                  " FROM orders",
                  [&](const postgres::rows& rows) {
                      for (std::size_t row = 0; row < rows.size(); ++row) {
                          each({rows.uuid(row, 0), rows.integer(row, 1), rows.integer(row, 2),
                                rows.integer(row, 3), std::string(rows.text(row, 4)),
                                static_cast<std::uint64_t>(rows.integer(row, 5)),
                                static_cast<std::uint64_t>(rows.integer(row, 6))});
                      }
                  });
}

std::expected<void, std::string> for_each_parked(postgres::session& database,
                                                 const std::function<void(parked_event)>& each) {
    return stream(database, "SELECT event_id, event, reason FROM parked",
                  [&](const postgres::rows& rows) {
                      for (std::size_t row = 0; row < rows.size(); ++row) {
                          each({rows.uuid(row, 0), std::string(rows.text(row, 1)),
                                std::string(rows.text(row, 2))});
                      }
                  });
}

}  // namespace flashsale::order
