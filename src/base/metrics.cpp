#include <flashsale/base/metrics.hpp>

#include <algorithm>
#include <mutex>

namespace flashsale {

namespace {

struct registry {
    std::mutex mutex;
    std::vector<const metric*> metrics;
};

// A function-local static: metrics are namespace-scope objects of many files, and the first of them
// to be constructed must find it.
registry& the_registry() {
    static registry instance;
    return instance;
}

}  // namespace

metric::metric(kind what, const char* name, const char* help)
    : kind_(what), name_(name), help_(help) {
    registry& all = the_registry();
    const std::lock_guard lock(all.mutex);
    all.metrics.push_back(this);
}

std::vector<const metric*> all_metrics() {
    registry& all = the_registry();
    const std::lock_guard lock(all.mutex);
    auto sorted = all.metrics;
    std::ranges::sort(sorted, {}, &metric::name);
    return sorted;
}

std::string render_metrics() {
    std::string out;
    for (const metric* one : all_metrics()) {
        const std::string name = "flashsale_" + std::string(one->name());
        out += "# HELP " + name + " " + std::string(one->help()) + "\n";
        out += "# TYPE " + name +
               (one->type() == metric::kind::counter ? " counter\n" : " gauge\n");
        out += name + " " + std::to_string(one->value()) + "\n";
    }
    return out;
}

}  // namespace flashsale
