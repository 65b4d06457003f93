#pragma once

// What the cells about an order's life have in common: clients that ask until they know, and the
// sums over all that was held, paid for, ended and given back.

#include <atomic>
#include <functional>
#include <string>

#include "http_client.hpp"
#include "world.hpp"

namespace flashsale::test {

inline constexpr std::int64_t life_price = 7;

/// Asks one process after the other, with the same key, until it has an answer that is none of 503.
/// Not for several threads at once.
class patient_client {
public:
    /// Processes that die meanwhile are started again.
    explicit patient_client(world& of) : world_(of), tends_(true) {}
    /// Beside the thread that does so. `first`: the process that it asks first.
    patient_client(world& of, std::size_t first) : world_(of), turn_(first), tends_(false) {}

    http_response post(const std::string& path, const boost::json::value& body,
                       const std::string& key);
    http_response get(const std::string& path);

    std::int64_t make_user(const std::string& name, std::int64_t balance);
    std::int64_t make_product(const std::string& name, std::int64_t stock, std::int64_t window_s);
    /// The whole answer; throws if it is not 201. Its key is no crowd's.
    boost::json::value place(std::int64_t user, std::int64_t product);
    std::string order_of(std::int64_t user, std::int64_t product) {
        return std::string(place(user, product).at("id").as_string());
    }

    http_response pay(const std::string& order, const std::string& key = "pay");
    /// Of money from outside, whose reference is the order.
    http_response tell(const std::string& order, std::int64_t amount = life_price);
    http_response cancel(const std::string& order);
    void deposit(std::int64_t user, std::int64_t amount);

    std::string status(const std::string& order);
    std::int64_t balance(std::int64_t user);
    std::int64_t available(std::int64_t product);

private:
    http_response until_known(const std::function<http_response(http_client&)>& ask);

    world& world_;
    std::size_t turn_ = 0;
    const bool tends_;
};

/// Calls what(i, client) for i = 0 … n-1 on so many threads, and `meanwhile` on this one, which
/// looks after the processes. Throws what the first of them threw.
void in_parallel(world& w, std::size_t threads, std::size_t n,
                 const std::function<void(std::size_t, patient_client&)>& what,
                 const std::function<void()>& meanwhile = {});

/// Of the order database.
std::int64_t orders_that_are(world& w, std::int64_t product, const std::string& status);

/// Waits until every hold of these products has ended or its order is paid for, and all money is
/// where it belongs. Then complains about every sum over the three databases and the gate that is
/// not right: each ended order has returned its units once, and no other; each order that is paid
/// for has one payment of its total, which was taken; all money that came from outside has paid or
/// is owed; each balance is the sum of its entries.
void add_up_lives(world& w, const std::vector<std::int64_t>& products);

}  // namespace flashsale::test
