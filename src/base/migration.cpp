#include "flashsale/base/migration.hpp"

#include <cassert>

#include "flashsale/base/sha256.hpp"

namespace flashsale {

schema_report compare_schema(const applied_migrations& applied, std::span<const migration> all) {
    const auto last_known = static_cast<std::int64_t>(all.size());
    for (const auto& [version, what] : applied) {
        if (version < 1 || version > last_known) {
            return {schema_state::ahead,
                    "has migration " + what.name +
                        ", which this binary does not know: use a newer binary"};
        }
    }
    for (const migration& known : all) {
        const auto found = applied.find(known.version);
        if (found == applied.end() || sha256_hex(known.sql) == found->second.checksum) continue;
        return {schema_state::changed, "migration " + std::string(known.name) +
                                           " was applied with another text than this binary has"};
    }
    if (const migration* missing = first_missing(applied, all)) {
        return {schema_state::behind,
                "lacks migration " + std::string(missing->name) + ": run flashsale migrate"};
    }
    return {schema_state::current, "is current"};
}

const migration* first_missing(const applied_migrations& applied, std::span<const migration> all) {
    for (const migration& one : all) {
        if (!applied.contains(one.version)) return &one;
    }
    return nullptr;
}

void assert_numbered(std::span<const migration> all) {
    for (std::size_t i = 0; i < all.size(); ++i) {
        assert(all[i].version == static_cast<int>(i) + 1);
    }
}

}  // namespace flashsale
