#pragma once

#include <atomic>
#include <flashsale/http.hpp>

#include "metrics.hpp"

namespace flashsale::http {

/// A body on its way, counted for as long as this lives.
class running_stream {
public:
    /// nullptr: there are `streams_max` already.
    static std::unique_ptr<running_stream> begin(std::shared_ptr<body_source> source,
                                                 std::shared_ptr<std::atomic<std::size_t>> count,
                                                 std::size_t streams_max) {
        if (count->fetch_add(1, std::memory_order_relaxed) >= streams_max) {
            count->fetch_sub(1, std::memory_order_relaxed);
            return nullptr;
        }
        streams_total.add();
        streams_open.add(1);
        return std::unique_ptr<running_stream>(
            new running_stream(std::move(source), std::move(count)));
    }
    ~running_stream() {
        count_->fetch_sub(1, std::memory_order_relaxed);
        streams_open.add(-1);
    }
    running_stream(const running_stream&) = delete;
    running_stream& operator=(const running_stream&) = delete;

    const std::shared_ptr<body_source> source;

private:
    running_stream(std::shared_ptr<body_source> made, std::shared_ptr<std::atomic<std::size_t>> in)
        : source(std::move(made)), count_(std::move(in)) {}

    std::shared_ptr<std::atomic<std::size_t>> count_;
};

}  // namespace flashsale::http
