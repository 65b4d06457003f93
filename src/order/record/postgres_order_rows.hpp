#pragma once

// The rows of accepted orders in PostgreSQL: one statement for a batch. An order that is held has a
// row in order_lives too, for which there is a second one; a batch that was sold outright costs
// nothing for that.

#include <flashsale/events/event.hpp>
#include <flashsale/postgres.hpp>

#include <span>

namespace flashsale::order {

/// Inside a transaction: all of them, or a violation of a key.
postgres::result insert_new_rows(postgres::session& database,
                                 std::span<const events::order_accepted> orders);
/// Inside a transaction: the ids of those that were not there.
postgres::result insert_rows_not_there(postgres::session& database,
                                       std::span<const events::order_accepted> orders);

}  // namespace flashsale::order
