#include "load/holds_report.hpp"

#include <spdlog/fmt/fmt.h>

#include <algorithm>
#include <boost/json.hpp>
#include <ostream>

#include "report/json_text.hpp"

namespace flashsale::bench {

namespace {

std::string named(const std::pair<unsigned, std::string>& code) {
    return code.second.empty() ? fmt::format("http_{}", code.first) : code.second;
}

/// Of the clients' and the databases' side.
std::int64_t oversold(const holds_report& report) {
    return std::max(report.checked.oversold, report.lives.oversold);
}

}  // namespace

void holds_report::judge() {
    if (!orders.fault().empty()) faults.push_back(orders.fault());
    if (!load.failure.empty()) faults.push_back(load.failure);
    if (!orders.finished()) {
        faults.push_back(fmt::format("of {} units only {} are paid for after {:.0f} s",
                                     options.stock, orders.totals().paid, load.seconds()));
    }
    const auto expect_none = [&](std::int64_t n, std::string_view what) {
        if (n != 0) faults.push_back(fmt::format("{}: {}", what, n));
    };
    expect_none(oversold(*this), "units oversold");
    expect_none(std::max<std::int64_t>(0, options.stock - lives.paid),
                "units that no payment is recorded of");
    expect_none(static_cast<std::int64_t>(orders.unsettled()), "unknown outcomes");
    expect_none(checked.lost, "accepted orders lost");
    expect_none(checked.duplicated, "orders duplicated");
    expect_none(checked.phantom, "stored orders that no client was told of");
    expect_none(checked.stray_movements, "sale movements without an order of their own");
    expect_none(checked.unbalanced, "products whose stock does not add up");
    expect_none(checked.parked, "events set aside");
    expect_none(lives.limit_exceeded, "units beyond the limit per user");
    expect_none(lives.unfinished, "orders neither paid for nor ended");
    expect_none(lives.misreported, "orders that are not what the client was told");
    expect_none(lives.unreturned, "ended orders and returns that do not match");
    expect_none(lives.mispaid, "payments and paid orders that do not match");
    expect_none(lives.misbalanced, "balances that are not what payments have left");
}

void holds_report::print(std::ostream& out) const {
    const auto& totals = orders.totals();
    out << fmt::format(
        "Held orders: {} units, limit {} per user, held for {} s; {} users asking until all is "
        "paid for, {} connections\n\n",
        options.stock, options.per_user_limit > 0 ? std::to_string(options.per_user_limit) : "none",
        options.payment_window.count(), options.users, options.load.connections);
    const auto row = [&](std::string_view name, auto n) {
        out << fmt::format("  {:<22} {:>10}\n", name, n);
    };
    row("orders asked for", totals.asked);
    row("granted", totals.granted);
    row("  paid", totals.paid);
    row("  cancelled", totals.cancelled);
    row("  left to expire", totals.left);
    row("  expired before that", totals.too_late);
    row("refused", totals.refused);
    for (const auto& [code, n] : totals.refused_by_code) {
        out << fmt::format("    {} {:<16} {:>10}\n", code.first, named(code), n);
    }
    row("unknown", orders.unsettled());
    out << fmt::format("\n  {:.2f} s in all", load.seconds());
    if (totals.paid > 0) {
        out << fmt::format("; the last unit was paid for after {:.2f} s",
                           std::chrono::duration<double>(totals.last_paid - load.started).count());
    }
    out << fmt::format("; at rest {:.2f} s later\n", settling_seconds);
    if (load.broken_tries > 0 || totals.asked_again > 0) {
        out << fmt::format("  {} tries got no answer ({}); {} requests were sent again later\n",
                           load.broken_tries, load.last_fault, totals.asked_again);
    }
    out << fmt::format(
        "\n  from the databases: stored {}, paid {}, cancelled {}, expired {}, returned {}; at "
        "most {} held or paid at once\n"
        "  {} paid from balances; oversold {}, lost {}, duplicated {}, phantom {}, above the limit "
        "{}, parked {}\n\n",
        checked.stored, lives.paid, lives.cancelled, lives.expired, lives.returned,
        lives.held_at_once, lives.money, oversold(*this), checked.lost, checked.duplicated,
        checked.phantom, lives.limit_exceeded, checked.parked);
    for (const auto* findings : {&checked.findings, &lives.findings}) {
        for (const auto& finding : *findings)
            out << "  " << finding << "\n";
    }
    if (holds()) {
        out << "The sums hold.\n";
        return;
    }
    out << "The sums do not hold:\n";
    for (const auto& fault : faults)
        out << "  " << fault << "\n";
}

std::string holds_report::json() const {
    const auto& totals = orders.totals();
    boost::json::object by_code;
    for (const auto& [code, n] : totals.refused_by_code)
        by_code[named(code)] = n;
    const boost::json::object all{
        {"stock", options.stock},
        {"granted", totals.granted},
        {"paid", lives.paid},
        {"cancelled", lives.cancelled},
        {"expired", lives.expired},
        {"returned", lives.returned},
        {"held_at_once", lives.held_at_once},
        {"stored", checked.stored},
        {"oversold", oversold(*this)},
        {"lost", checked.lost},
        {"duplicated", checked.duplicated},
        {"seconds", load.seconds()},
        {"holds", holds()},
        {"unknown", orders.unsettled()},
        {"phantom", checked.phantom},
        {"limit_exceeded", lives.limit_exceeded},
        {"stray_movements", checked.stray_movements},
        {"unbalanced", checked.unbalanced},
        {"parked", checked.parked},
        {"unfinished", lives.unfinished},
        {"misreported", lives.misreported},
        {"unreturned", lives.unreturned},
        {"mispaid", lives.mispaid},
        {"misbalanced", lives.misbalanced},
        {"money", lives.money},
        {"too_late", totals.too_late},
        {"asked", totals.asked},
        {"asked_again", totals.asked_again},
        {"refused", totals.refused},
        {"refused_by_code", by_code},
        {"users", options.users},
        {"payment_window_s", options.payment_window.count()},
        {"connections", options.load.connections},
        {"tries", load.tries},
        {"broken_tries", load.broken_tries},
        {"settling_seconds", settling_seconds},
    };
    return to_text(all);
}

}  // namespace flashsale::bench
