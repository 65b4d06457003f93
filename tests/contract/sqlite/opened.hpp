#pragma once

#include <catch2/catch.hpp>

#include <flashsale/sqlite.hpp>

#include "scratch_folder.hpp"

namespace flashsale::sqlite::test {

inline options options_of(const std::filesystem::path& file) {
    options out;
    out.file = file;
    out.busy_timeout = std::chrono::milliseconds{500};
    return out;
}

inline void must(const std::expected<void, error>& done) {
    if (!done) FAIL(done.error().message);
}

inline database open(const std::filesystem::path& file) {
    auto opened = database::open(options_of(file));
    if (!opened) FAIL(opened.error().message);
    return std::move(*opened);
}

constexpr statement insert_number{"INSERT INTO numbers (number) VALUES (?1)"};
constexpr statement count_numbers{"SELECT count(*) FROM numbers"};

/// A table of numbers, each once, none below zero.
inline database with_numbers(const std::filesystem::path& file) {
    database out = open(file);
    must(
        out.script("CREATE TABLE numbers (number INTEGER PRIMARY KEY, note TEXT,"
                   " CONSTRAINT numbers_not_negative CHECK (number >= 0)) STRICT"));
    return out;
}

inline std::expected<void, error> insert(database& into, std::int64_t number) {
    auto done = into.prepare(insert_number).integer(number).run();
    if (!done) return std::unexpected(done.error());
    return {};
}

/// On any thread, so without an assertion.
inline std::int64_t count(database& in) {
    auto counted = in.prepare(count_numbers);
    (void)counted.step().value();
    return counted.integer_at(0);
}

}  // namespace flashsale::sqlite::test
