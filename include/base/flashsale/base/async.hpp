#pragma once

// The two forms of asynchrony here: callbacks on the order path, where one allocation a request
// would show, and coroutines everywhere else. `await_callback` joins them.

#include <boost/asio/async_result.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <functional>
#include <utility>

namespace flashsale {

namespace asio = boost::asio;

using executor = asio::io_context::executor_type;

template <class T = void>
using awaitable = asio::awaitable<T, executor>;

inline constexpr asio::use_awaitable_t<executor> use_awaitable{};

/// Called exactly once, on the thread that the function taking it names.
template <class... Args>
using callback = std::move_only_function<void(Args...)>;

/// Suspends the coroutine until the callback handed to `start` is called with a T.
///
///     auto found = co_await await_callback<lookup>([&](auto done) { gate.find(id, std::move(done)); });
template <class T, class Start>
awaitable<T> await_callback(Start start) {
    co_return co_await asio::async_initiate<const asio::use_awaitable_t<executor>, void(T)>(
        [&start](auto handler) {
            start(callback<T>([h = std::move(handler)](T value) mutable { h(std::move(value)); }));
        },
        use_awaitable);
}

}  // namespace flashsale
