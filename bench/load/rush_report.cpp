#include "load/rush_report.hpp"

#include <spdlog/fmt/fmt.h>

#include <boost/json.hpp>
#include <ostream>

#include "report/json_text.hpp"

namespace flashsale::bench {

namespace {

std::string named(const std::pair<unsigned, std::string>& code) {
    return code.second.empty() ? fmt::format("http_{}", code.first) : code.second;
}

double per_second(std::uint64_t n, double seconds) {
    return seconds > 0 ? static_cast<double>(n) / seconds : 0;
}

double milliseconds(std::int64_t ns) {
    return static_cast<double>(ns) / 1e6;
}

void print_latency(std::ostream& out, std::string_view name, const histogram& of) {
    if (of.count() == 0) return;
    out << fmt::format("  {:<10} {:>9.2f} {:>9.2f} {:>9.2f} {:>9.2f}\n", name,
                       milliseconds(of.at(0.5)), milliseconds(of.at(0.9)),
                       milliseconds(of.at(0.99)), milliseconds(of.max()));
}

boost::json::object latency_json(const histogram& of) {
    return {{"p50", milliseconds(of.at(0.5))},
            {"p90", milliseconds(of.at(0.9))},
            {"p99", milliseconds(of.at(0.99))},
            {"max", milliseconds(of.max())}};
}

}  // namespace

void rush_report::judge() {
    const auto& totals = orders.totals();
    const auto sellable = orders.plan().sellable();
    unsold = std::max<std::int64_t>(0, sellable - static_cast<std::int64_t>(totals.accepted));
    const auto expect_none = [&](std::int64_t n, std::string_view what) {
        if (n != 0) faults.push_back(fmt::format("{}: {}", what, n));
    };
    expect_none(checked.oversold, "units oversold");
    expect_none(checked.lost, "accepted orders lost");
    expect_none(checked.duplicated, "orders duplicated");
    expect_none(checked.phantom, "stored orders that nobody was told of");
    expect_none(checked.limit_exceeded, "units beyond the limit per user");
    expect_none(checked.stray_movements, "sale movements without an order of their own");
    expect_none(checked.unbalanced, "products whose stock does not add up");
    if (static_cast<std::int64_t>(totals.accepted) > sellable) {
        faults.push_back(
            fmt::format("accepted {}, but only {} units can be had", totals.accepted, sellable));
    }
    if (!options.allow_unknown) {
        expect_none(static_cast<std::int64_t>(totals.unknown), "unknown outcomes");
        if (!load.failure.empty()) faults.push_back(load.failure);
    }
    if (!options.allow_unsold) {
        expect_none(unsold, "units that this crowd asked for and did not get");
    }
}

void rush_report::print(std::ostream& out) const {
    const auto& totals = orders.totals();
    const double seconds = load.seconds();
    out << fmt::format(
        "The rush: {} units of {} product(s), limit {} per user; {} users, {} requests, {} "
        "connections\n\n",
        options.stock, options.products,
        options.per_user_limit > 0 ? std::to_string(options.per_user_limit) : "none", options.users,
        options.requests, options.load.connections);
    const auto row = [&](std::string_view name, std::uint64_t n) {
        out << fmt::format("  {:<22} {:>10} {:>12.0f}/s\n", name, n, per_second(n, seconds));
    };
    row("accepted", totals.accepted);
    row("refused", totals.refused);
    for (const auto& [code, n] : totals.refused_by_code) {
        out << fmt::format("    {} {:<16} {:>10}\n", code.first, named(code), n);
    }
    row("unknown", totals.unknown);
    for (const auto& [code, n] : totals.unknown_by_code) {
        out << fmt::format("    {} {:<16} {:>10}\n", code.first, named(code), n);
    }
    out << fmt::format("\n  {:.2f} s in all", seconds);
    if (totals.accepted > 0) {
        const double selling =
            std::chrono::duration<double>(totals.last_accepted - load.started).count();
        out << fmt::format("; the last unit went after {:.2f} s ({:.0f} accepted/s until then)",
                           selling, per_second(totals.accepted, selling));
    }
    out << fmt::format("; stored {:.2f} s later\n", storing_seconds);
    if (load.broken_tries > 0 || totals.retried > 0) {
        out << fmt::format("  {} tries got no answer ({}); {} requests took more than one try\n",
                           load.broken_tries, load.last_fault, totals.retried);
    }
    out << "\n  latency, ms       p50       p90       p99       max\n";
    print_latency(out, "accepted", totals.accepted_ns);
    print_latency(out, "refused", totals.refused_ns);
    out << fmt::format(
        "\n  from the databases: stored {}, oversold {}, lost {}, duplicated {}, phantom {}, above "
        "the limit {}, parked {}\n\n",
        checked.stored, checked.oversold, checked.lost, checked.duplicated, checked.phantom,
        checked.limit_exceeded, checked.parked);
    for (const auto& finding : checked.findings)
        out << "  " << finding << "\n";
    if (holds()) {
        out << "The sums hold.\n";
    } else {
        out << "The sums do not hold:\n";
        for (const auto& fault : faults)
            out << "  " << fault << "\n";
    }
}

std::string rush_report::json() const {
    const auto& totals = orders.totals();
    const double seconds = load.seconds();
    boost::json::object by_code;
    for (const auto& [code, n] : totals.refused_by_code)
        by_code[named(code)] = n;
    boost::json::object unknown_by_code;
    for (const auto& [code, n] : totals.unknown_by_code)
        unknown_by_code[named(code)] = n;
    const boost::json::object all{
        {"stock", options.stock},
        {"requests", options.requests},
        {"accepted", totals.accepted},
        {"refused", totals.refused},
        {"unknown", totals.unknown},
        {"stored", checked.stored},
        {"oversold", checked.oversold},
        {"lost", checked.lost},
        {"duplicated", checked.duplicated},
        {"seconds", seconds},
        {"holds", holds()},
        {"phantom", checked.phantom},
        {"limit_exceeded", checked.limit_exceeded},
        {"stray_movements", checked.stray_movements},
        {"unbalanced", checked.unbalanced},
        {"parked", checked.parked},
        {"unsold", unsold},
        {"refused_by_code", by_code},
        {"unknown_by_code", unknown_by_code},
        {"users", options.users},
        {"products", options.products},
        {"connections", options.load.connections},
        {"tries", load.tries},
        {"broken_tries", load.broken_tries},
        {"replayed", totals.replayed},
        {"storing_seconds", storing_seconds},
        {"accepted_per_second", per_second(totals.accepted, seconds)},
        {"refused_per_second", per_second(totals.refused, seconds)},
        {"accepted_latency_ms", latency_json(totals.accepted_ns)},
        {"refused_latency_ms", latency_json(totals.refused_ns)},
    };
    return to_text(all);
}

}  // namespace flashsale::bench
