#pragma once

// The record as the service reads it, on the simulated order database.

#include <flashsale/order/store.hpp>

#include <memory>

namespace flashsale::model {

class process;

std::unique_ptr<order::store> make_order_view(process& of);

}  // namespace flashsale::model
