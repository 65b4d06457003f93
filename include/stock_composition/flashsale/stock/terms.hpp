#pragma once

// The port to changes of what products are sold by. Each is committed here first, with a higher
// revision; the gate is told after that, and takes no revision that is older than what it has.

#include <expected>
#include <memory>
#include <optional>
#include <string>

#include "flashsale/stock/store.hpp"

namespace flashsale::stock {

/// All that may change of a product by itself. Of one of a sale the window is the sale's.
struct product_terms {
    std::string name;
    std::int64_t price = 0;  ///< minor units
    std::optional<std::int64_t> per_user_limit;
    std::optional<timestamp> sale_starts_at;
    std::optional<timestamp> sale_ends_at;
};

/// What was committed, and the epoch of the product's shard, read after that: a rebuild that has
/// not read it yet is of that epoch or a newer one. 0: embedded.
struct changed_product {
    product what;
    std::uint64_t epoch = 0;
};

/// Used by one thread, that of the io_context it was made for; answers there.
class terms_store {
public:
    virtual ~terms_store() = default;

    template <class T>
    using result = awaitable<std::expected<T, errc>>;

    /// revision_changed: it is another one by now. already_granted: the limit comes or goes, and
    /// units were taken; those that are not recorded yet, only the gate knows of. product_archived.
    virtual result<changed_product> change(std::int64_t id, std::int64_t revision,
                                           product_terms to) = 0;
    /// Deletes a product of which nothing was taken, as far as is recorded, and archives another;
    /// one that is archived stays so.
    virtual result<changed_product> withdraw(std::int64_t id) = 0;
    /// Takes a change of that revision back which the gate refuses as too late: a limit is as it
    /// was before, and a deletion becomes an archiving. revision_changed: another change was made
    /// since.
    virtual result<changed_product> undo(std::int64_t id, std::int64_t revision) = 0;
};

std::unique_ptr<terms_store> make_postgres_terms(postgres::pool& database, std::uint32_t shards);
std::unique_ptr<terms_store> make_sqlite_terms(sqlite::queue& database, asio::io_context& io);

}  // namespace flashsale::stock
