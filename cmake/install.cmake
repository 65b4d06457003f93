# `cmake --install` and CPack. The executable needs no file at run time: schema, migrations and Lua
# scripts are in it. What names an installed path is written while installing, for then the prefix is
# known.

include(GNUInstallDirs)
set(CMAKE_SKIP_INSTALL_ALL_DEPENDENCY ON) # not the tests; script/package builds what is installed

find_program(FLASHSALE_PYTHON python3 REQUIRED)
set(manual "${PROJECT_BINARY_DIR}/packaging")
file(MAKE_DIRECTORY "${manual}")
add_custom_command(
    OUTPUT "${manual}/flashsale.1" "${manual}/flashsale.bash"
    COMMAND "${FLASHSALE_PYTHON}" -B "${PROJECT_SOURCE_DIR}/packaging/manual.py"
        "$<TARGET_FILE:flashsale>" "${manual}"
    DEPENDS flashsale "${PROJECT_SOURCE_DIR}/packaging/manual.py"
    VERBATIM)
add_custom_target(flashsale_manual ALL DEPENDS "${manual}/flashsale.1" "${manual}/flashsale.bash")

set(docdir "${CMAKE_INSTALL_DATADIR}/doc/flashsale")
install(TARGETS flashsale)
install(FILES config/flashsale.schema.json DESTINATION "${CMAKE_INSTALL_DATADIR}/flashsale")
install(FILES config/embedded.json config/stack.json DESTINATION "${docdir}/examples")
install(FILES NOTICE README.md CHANGELOG.md DESTINATION "${docdir}")
install(DIRECTORY docs DESTINATION "${docdir}")
install(FILES LICENSE DESTINATION "${docdir}" RENAME copyright)
install(FILES "${manual}/flashsale.1" DESTINATION "${CMAKE_INSTALL_MANDIR}/man1")
install(FILES "${manual}/flashsale.bash" RENAME flashsale
    DESTINATION "${CMAKE_INSTALL_DATADIR}/bash-completion/completions")
foreach(name SYSCONFDIR LOCALSTATEDIR BINDIR DATADIR)
    string(APPEND folders "set(${name} \"${CMAKE_INSTALL_${name}}\")\n")
endforeach()
install(CODE "${folders}set(SOURCE \"${PROJECT_SOURCE_DIR}/packaging\")\nset(WRITTEN \"${manual}\")")
install(SCRIPT "${PROJECT_SOURCE_DIR}/cmake/install_paths.cmake")

set(CPACK_GENERATOR DEB)
set(CPACK_SET_DESTDIR ON) # for /etc
set(CPACK_INSTALL_PREFIX /usr)
set(CPACK_STRIP_FILES ON)
set(CPACK_PACKAGE_CONTACT "the authors of flashsale <flashsale@localhost>")
set(CPACK_PACKAGE_DESCRIPTION_SUMMARY "flash sales that are never oversold")
set(CPACK_DEBIAN_PACKAGE_DESCRIPTION
    "An engine for flash sales behind an HTTP API. It runs embedded, with its data in\n"
    "one folder, or on Redis, RabbitMQ and PostgreSQL, where several processes may sell\n"
    "together. What is accepted is neither lost, doubled nor oversold.")
string(CONCAT CPACK_DEBIAN_PACKAGE_DESCRIPTION ${CPACK_DEBIAN_PACKAGE_DESCRIPTION})
set(CPACK_DEBIAN_FILE_NAME DEB-DEFAULT)
set(CPACK_DEBIAN_PACKAGE_SECTION net)
set(CPACK_DEBIAN_PACKAGE_SHLIBDEPS ON)
set(CPACK_DEBIAN_PACKAGE_DEPENDS adduser)
set(CPACK_DEBIAN_PACKAGE_SUGGESTS "redis-server, rabbitmq-server, postgresql")
set(CPACK_DEBIAN_PACKAGE_CONTROL_STRICT_PERMISSION ON)
foreach(name conffiles postinst prerm postrm)
    list(APPEND CPACK_DEBIAN_PACKAGE_CONTROL_EXTRA "${PROJECT_SOURCE_DIR}/packaging/debian/${name}")
endforeach()
include(CPack)
