#pragma once

// The port to the record of sales. A sale's products are placed together, at the shard of the
// sale's id, and what the sale says of them stands in their rows too: a change of a sale is a new
// revision of each of its products.

#include <cstdint>
#include <expected>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "flashsale/stock/terms.hpp"

namespace flashsale::stock {

inline constexpr std::int64_t products_of_sale_max = 1'000;

struct sale_terms {
    std::string name;
    std::optional<timestamp> starts_at;
    std::optional<timestamp> ends_at;
    std::uint32_t payment_window_s = 0;          ///< 0: sold outright
    std::optional<std::int64_t> per_user_limit;  ///< over all of its products

    friend bool operator==(const sale_terms&, const sale_terms&) = default;
};

/// By hand; beside it the window decides.
enum class sale_state { open, paused, ended };

struct sale {
    std::int64_t id = 0;
    sale_terms terms;
    sale_state state = sale_state::open;
    std::int64_t revision = 1;
    std::int64_t products = 0;  ///< how many
    timestamp created_at;
};

/// What was committed, and what the gate is to be told of each of the sale's products.
struct changed_sale {
    sale what;
    std::vector<gate_product> products;
};

/// Used by one thread, that of the io_context it was made for; answers there.
class sale_store {
public:
    virtual ~sale_store() = default;

    template <class T>
    using result = awaitable<std::expected<T, errc>>;

    struct created {
        sale what;
        bool replayed = false;
    };
    /// Or, for a key that was used, what it made. sale_over: it would have ended before it was
    /// made.
    virtual result<created> create(sale_terms what, std::string key) = 0;
    virtual result<sale> find(std::int64_t id) = 0;
    /// Ascending by id, those above `after`.
    virtual result<std::vector<sale>> list(std::int64_t after, std::int64_t limit) = 0;

    /// revision_changed: it is another one by now. sale_has_products: the payment window changes,
    /// or a limit comes or goes, and the sale has products. sale_ended.
    virtual result<changed_sale> change(std::int64_t id, std::int64_t revision, sale_terms to) = 0;
    /// Also where it is in that state already. sale_ended: for ever.
    virtual result<changed_sale> set_state(std::int64_t id, sale_state to) = 0;
};

std::unique_ptr<sale_store> make_postgres_sales(postgres::pool& database, std::uint32_t shards);
std::unique_ptr<sale_store> make_sqlite_sales(sqlite::queue& database, asio::io_context& io);

}  // namespace flashsale::stock
