#pragma once

#include <atomic>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace flashsale {

/// A number that only grows (counter) or is set (gauge); any thread, relaxed. Declared as a
/// namespace-scope object in its module's metrics.cpp; constructing it registers it for /metrics.
class metric {
public:
    enum class kind { counter, gauge };

    /// `name` in Prometheus form without the `flashsale_` prefix; both strings must be literals.
    metric(kind what, const char* name, const char* help);
    metric(const metric&) = delete;
    metric& operator=(const metric&) = delete;

    void add(std::int64_t n = 1) noexcept { value_.fetch_add(n, std::memory_order_relaxed); }
    void set(std::int64_t n) noexcept { value_.store(n, std::memory_order_relaxed); }
    std::int64_t value() const noexcept { return value_.load(std::memory_order_relaxed); }

    std::string_view name() const { return name_; }
    std::string_view help() const { return help_; }
    kind type() const { return kind_; }

private:
    kind kind_;
    const char* name_;
    const char* help_;
    std::atomic<std::int64_t> value_{0};
};

/// All metrics of the process, sorted by name, in the Prometheus text format.
std::string render_metrics();
std::vector<const metric*> all_metrics();

}  // namespace flashsale
