#include <flashsale/audit/report.hpp>

#include <boost/json.hpp>

namespace flashsale::audit {

namespace json = boost::json;

namespace {

constexpr std::size_t named_max = 20;

void append_late(std::string& out, const late_finding& one) {
    out.append("  late ").append(one.id.to_string());
    out.append(one.refused ? ", refused by the newer gate" : ", to be asked for again");
    if (const auto& asked = one.asked) {
        out.append(asked->what == stock::operation::sale
                       ? ": user " + std::to_string(asked->user_id) + ", "
                       : ": a reduction, ");
        out.append("product " + std::to_string(asked->product_id))
            .append(", quantity " + std::to_string(asked->quantity))
            .append(", epoch " + std::to_string(asked->epoch))
            .append(", made " + to_rfc3339(one.created_at));
    }
    out.append(one.published_at ? ", published " + to_rfc3339(*one.published_at)
                                : ", published at a time that is not known");
    if (const auto& fence = one.shut_out_by) {
        out.append("; shut out by epoch " + std::to_string(fence->epoch))
            .append(", begun " + to_rfc3339(fence->begun_at))
            .append(", fence raised " + to_rfc3339(fence->raised_at));
    }
    out.append(one.perhaps_answered ? ": a 201 may stand behind it\n"
                                    : ": by these clocks no 201 stands behind it\n");
}

/// Those that may have been answered 201 come first, and none of them is left out.
void append_late(std::string& out, const std::vector<late_finding>& all) {
    std::size_t others = 0;
    for (const late_finding& one : all) {
        if (one.perhaps_answered) append_late(out, one);
    }
    for (const late_finding& one : all) {
        if (!one.perhaps_answered && ++others <= named_max) append_late(out, one);
    }
    if (others > named_max)
        out.append("  and ").append(std::to_string(others - named_max)).append(" more\n");
}

json::object late_json(const late_finding& one) {
    json::object out{{"id", one.id.to_string()},
                     {"state", one.refused ? "refused" : "to_be_asked"},
                     {"perhaps_answered", one.perhaps_answered}};
    if (const auto& asked = one.asked) {
        out["user_id"] = asked->user_id;
        out["product_id"] = asked->product_id;
        out["quantity"] = asked->quantity;
        out["epoch"] = asked->epoch;
        out["created_at"] = to_rfc3339(one.created_at);
    }
    if (one.published_at) out["published_at"] = to_rfc3339(*one.published_at);
    if (const auto& fence = one.shut_out_by) {
        out["shut_out_by_epoch"] = fence->epoch;
        out["rebuild_begun_at"] = to_rfc3339(fence->begun_at);
        out["fence_raised_at"] = to_rfc3339(fence->raised_at);
    }
    return out;
}

}  // namespace

std::string audit_report_text(const audit_record& record, const audit_result& result) {
    std::string out;
    const auto line = [&out](std::string_view name, auto value) {
        out.append(name).append(std::string(12 - name.size(), ' '));
        out.append(std::to_string(value)).push_back('\n');
    };
    line("users", result.users);
    line("products", result.products);
    line("supplied", result.supplied);
    if (result.gate_checked || record.gate_is_database) line("free", result.free);
    line("sold", result.sold);
    line("reduced", result.reduced);
    line("returned", result.returned);
    line("orders", result.orders);
    line("placing", result.owed.placing);
    line("owed", result.owed.refunds);
    if (result.owed.since) {
        out.append("  refunds of ")
            .append(std::to_string(result.owed.amount))
            .append(" in all, the oldest since ")
            .append(to_rfc3339(*result.owed.since))
            .push_back('\n');
    }
    line("in outbox", result.outbox);
    line("late", result.late);
    line("parked", result.parked);
    for (const order::parked_event& one : record.parked) {
        out.append("  parked ")
            .append(one.id.to_string())
            .append(one.holds_units ? ", holding units: " : ", holding none: ")
            .append(one.reason)
            .push_back('\n');
    }
    append_late(out, result.late_events);
    for (const audit_fault& fault : result.faults) {
        out.append("FAULT ");
        if (fault.product_id != 0)
            out.append("product ").append(std::to_string(fault.product_id)).append(": ");
        if (fault.user_id != 0)
            out.append("user ").append(std::to_string(fault.user_id)).append(": ");
        out.append(fault.sum).append(": ").append(fault.found).push_back('\n');
        for (std::size_t i = 0; i < fault.orders.size() && i < named_max; ++i) {
            out.append("  order ").append(fault.orders[i].to_string()).push_back('\n');
        }
        if (fault.orders.size() > named_max) {
            out.append("  and ")
                .append(std::to_string(fault.orders.size() - named_max))
                .append(" more\n");
        }
    }
    if (record.gate_fault) {
        out.append("the gate could not be read (")
            .append(*record.gate_fault)
            .append("): only the databases were compared\n");
    }
    if (result.at_rest) out.append("at rest: nothing is on its way\n");
    out.append(result.holds() ? "every sum holds\n"
                              : std::to_string(result.faults.size()) + " sums do not hold\n");
    return out;
}

std::string audit_report_json(const audit_record& record, const audit_result& result) {
    json::array faults;
    for (const audit_fault& fault : result.faults) {
        json::array orders;
        for (const uuid& id : fault.orders)
            orders.emplace_back(id.to_string());
        faults.push_back({{"product_id", fault.product_id},
                          {"user_id", fault.user_id},
                          {"sum", fault.sum},
                          {"found", fault.found},
                          {"orders", std::move(orders)}});
    }
    json::array parked;
    for (const order::parked_event& one : record.parked) {
        parked.push_back(
            {{"id", one.id.to_string()}, {"reason", one.reason}, {"holds_units", one.holds_units}});
    }
    json::array late;
    for (const late_finding& one : result.late_events)
        late.emplace_back(late_json(one));
    json::object out{
        {"holds", result.holds()},
        {"gate_checked", result.gate_checked || record.gate_is_database},
        {"users", result.users},
        {"products", result.products},
        {"supplied", result.supplied},
        {"free", result.free},
        {"sold", result.sold},
        {"reduced", result.reduced},
        {"returned", result.returned},
        {"stock", result.stock},
        {"orders", result.orders},
        {"outbox", result.outbox},
        {"placing", result.owed.placing},
        {"owed_refunds", result.owed.refunds},
        {"owed_amount", result.owed.amount},
        {"owed_since", result.owed.since ? json::value(to_rfc3339(*result.owed.since)) : nullptr},
        {"late", std::move(late)},
        {"parked", std::move(parked)},
        {"at_rest", result.at_rest},
        {"faults", std::move(faults)}};
    if (record.gate_fault) out["gate_fault"] = *record.gate_fault;
    return json::serialize(out) + "\n";
}

}  // namespace flashsale::audit
