#include <flashsale/app.hpp>

int main(int argc, char** argv) {
    return flashsale::app::run(argc, argv);
}
