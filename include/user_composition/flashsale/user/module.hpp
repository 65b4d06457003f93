#pragma once

// How the composition puts the user module together.

#include <cstddef>
#include <memory>
#include <span>

#include "flashsale/base/async.hpp"
#include "flashsale/base/migration.hpp"
#include "flashsale/user.hpp"
#include "flashsale/user/charges.hpp"
#include "flashsale/user/credits.hpp"
#include "flashsale/user/store.hpp"

namespace flashsale::http {
class router;
}
namespace flashsale::postgres {
class session;
}
namespace flashsale::sqlite {
class database;
}

namespace flashsale::user {

std::span<const migration> postgres_migrations();
std::span<const migration> sqlite_migrations();

struct directory_options {
    std::size_t cached_users_max = 1'000'000;
    std::size_t lookup_batch_max = 1'000;
    std::size_t lookup_pages_max = 8;  ///< read in one look-up
    std::size_t waiting_lookups_max = 16'384;
};

std::unique_ptr<directory> make_directory(store& record, const directory_options& options);

std::unique_ptr<charges> make_postgres_charges(postgres::session& user_database);
std::unique_ptr<charges> make_sqlite_charges(sqlite::database& user_database);
std::unique_ptr<credits> make_postgres_credits(postgres::session& user_database);
std::unique_ptr<credits> make_sqlite_credits(sqlite::database& user_database);

/// Registers /v1/users, /v1/users/{id} and what is below it of its balance; everything must outlive
/// the router.
void register_routes(http::router& routes, asio::io_context& io, store& record);

}  // namespace flashsale::user
