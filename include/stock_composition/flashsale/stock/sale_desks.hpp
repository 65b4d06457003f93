#pragma once

// How the composition makes sale_desk.hpp.

#include <memory>

#include "flashsale/stock/gate_decisions.hpp"
#include "flashsale/stock/sale_desk.hpp"
#include "flashsale/stock/sales.hpp"

namespace flashsale::stock {

/// The gate and the database must outlive it.
std::unique_ptr<sale_desk> make_postgres_sale_desk(postgres::pool& database, std::uint32_t shards,
                                                   gate_decisions& gate);
std::unique_ptr<sale_desk> make_sqlite_sale_desk(sqlite::queue& database, asio::io_context& io,
                                                 gate_decisions& gate);

}  // namespace flashsale::stock
