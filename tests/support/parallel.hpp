#pragma once

#include <cstddef>
#include <exception>
#include <latch>
#include <optional>
#include <thread>
#include <type_traits>
#include <vector>

namespace flashsale::test {

/// Calls `work(i)` for i = 0 … n-1, each on a thread of its own, all let go at the same moment.
/// Returns what they returned, by i; throws what the first of them threw. Catch2's assertions are
/// not thread-safe: return values, and check those.
template <class Work>
auto parallel(std::size_t n, Work work) {
    using result = std::invoke_result_t<Work&, std::size_t>;
    static_assert(!std::is_void_v<result>, "return what is to be checked");
    std::vector<std::optional<result>> results(n);
    std::vector<std::exception_ptr> faults(n);
    std::latch start{static_cast<std::ptrdiff_t>(n)};
    {
        std::vector<std::jthread> threads;
        threads.reserve(n);
        for (std::size_t i = 0; i < n; ++i) {
            threads.emplace_back([&, i] {
                start.arrive_and_wait();
                try {
                    results[i].emplace(work(i));
                } catch (...) {
                    faults[i] = std::current_exception();
                }
            });
        }
    }
    for (const auto& fault : faults) {
        if (fault) std::rethrow_exception(fault);
    }
    std::vector<result> all;
    all.reserve(n);
    for (auto& each : results)
        all.push_back(std::move(*each));
    return all;
}

}  // namespace flashsale::test
