#include <stop_token>
#include <thread>

#include "report/sections.hpp"

namespace flashsale::bench {

namespace {

constexpr std::size_t connections = 256;

/// What the recorder says it has recorded, slice by slice, on a thread of its own. The server's
/// own counter: the audit at the end is what proves it.
class recorder_watch {
public:
    recorder_watch(const target& to, double slice_seconds)
        : thread_{[this, to, slice_seconds](const std::stop_token& stop) {
              try {
                  watch(to, std::chrono::duration<double>{slice_seconds}, stop);
              } catch (const std::exception&) {
                  // The plot ends here; the books are checked by others.
              }
          }} {}

    std::vector<std::uint64_t> finish() {
        thread_.request_stop();
        thread_.join();
        return std::move(slices_);
    }

private:
    void watch(const target& to, std::chrono::duration<double> slice, const std::stop_token& stop) {
        asio::io_context io;
        plain_http server{io, to};
        const auto begin = clock::now();
        auto last = recorded(server);
        for (int i = 1; !stop.stop_requested(); ++i) {
            std::this_thread::sleep_until(begin +
                                          std::chrono::duration_cast<clock::duration>(slice * i));
            const auto now = recorded(server);
            slices_.push_back(static_cast<std::uint64_t>(now - last));
            last = now;
        }
    }

    static std::int64_t recorded(plain_http& server) {
        return metric_in(server.get("/metrics").body, "flashsale_recorder_events_total");
    }

    std::vector<std::uint64_t> slices_;
    std::jthread thread_;
};

}  // namespace

sale_over_time watch_sale(bench_run& run) {
    run.progress.show("a sale over time");
    auto& site = run.open_site();
    order_stream orders{site.plan({site.add_product(run.sizes.plotted_stock)})};
    recorder_watch watch{site.to(), throughput{}.slice_seconds};
    const auto ran = site.run(orders, connections, {.warm_up = {}, .length = run.sizes.plotted});
    site.wait_until_stored(orders);
    sale_over_time seen{ran.over_time, watch.finish(), ran.counts.accepted_ns,
                        ran.counts.refused_ns};
    site.check(orders);
    run.close_site();
    return seen;
}

}  // namespace flashsale::bench
