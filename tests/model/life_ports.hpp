#pragma once

// The clerk's ports on the simulated databases: each statement is one step, done or not, its reply
// perhaps lost. For a fiber.

#include <flashsale/order/life.hpp>
#include <flashsale/order/money.hpp>
#include <flashsale/order/replacement.hpp>
#include <flashsale/stock/returns.hpp>
#include <flashsale/user/charges.hpp>
#include <flashsale/user/credits.hpp>

#include <memory>

namespace flashsale::model {

class process;

std::unique_ptr<order::life_store> make_life_store(process& of);
std::unique_ptr<order::money_store> make_money_store(process& of);
std::unique_ptr<order::replacement_store> make_replacement_store(process& of);
std::unique_ptr<stock::returns> make_returns_port(process& of);
std::unique_ptr<user::charges> make_charges_port(process& of);
std::unique_ptr<user::credits> make_credits_port(process& of);

}  // namespace flashsale::model
