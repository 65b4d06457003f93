#define CATCH_CONFIG_RUNNER
#include <catch2/catch.hpp>

#include "chosen_stack.hpp"

int main(int argc, char** argv) {
    flashsale::test::choose_stack();
    return Catch::Session().run(argc, argv);
}
