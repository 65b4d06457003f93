#pragma once

// xoshiro256** with its state spread from one seed: small, fast, and the same numbers everywhere.

#include <cstdint>

namespace flashsale::model {

class prng {
public:
    explicit prng(std::uint64_t seed) {
        for (std::uint64_t& word : state_) {
            seed += 0x9e3779b97f4a7c15u;
            std::uint64_t z = seed;
            z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9u;
            z = (z ^ z >> 27) * 0x94d049bb133111ebu;
            word = z ^ z >> 31;
        }
    }

    std::uint64_t next() {
        const std::uint64_t out = rotated(state_[1] * 5, 7) * 9;
        const std::uint64_t t = state_[1] << 17;
        state_[2] ^= state_[0];
        state_[3] ^= state_[1];
        state_[1] ^= state_[2];
        state_[0] ^= state_[3];
        state_[2] ^= t;
        state_[3] = rotated(state_[3], 45);
        return out;
    }

    /// From `low` to `high`, both included. The bias of the remainder is of no interest here.
    std::int64_t between(std::int64_t low, std::int64_t high) {
        return low + static_cast<std::int64_t>(next() % static_cast<std::uint64_t>(high - low + 1));
    }
    std::size_t below(std::size_t count) { return next() % count; }
    bool chance(int percent) { return between(1, 100) <= percent; }

private:
    static std::uint64_t rotated(std::uint64_t x, int by) { return x << by | x >> (64 - by); }

    std::uint64_t state_[4];
};

}  // namespace flashsale::model
