# The texts that the API serves about itself, embedded: the OpenAPI document with this version in it,
# and Swagger UI compressed.
configure_file(api/openapi.json ${CMAKE_CURRENT_BINARY_DIR}/openapi.json @ONLY)
foreach(asset swagger-ui.css swagger-ui-bundle.js)
  add_custom_command(
    OUTPUT ${CMAKE_CURRENT_BINARY_DIR}/${asset}.gz
    COMMAND gzip -9 -n -c ${SWAGGER_UI_DIR}/${asset} > ${CMAKE_CURRENT_BINARY_DIR}/${asset}.gz
    DEPENDS ${SWAGGER_UI_DIR}/${asset}
    VERBATIM)
endforeach()
embed(maas_api maas_openapi_json ${CMAKE_CURRENT_BINARY_DIR}/openapi.json)
embed(maas_api maas_docs_html ${CMAKE_CURRENT_SOURCE_DIR}/api/docs.html)
embed(maas_api maas_swagger_ui_css_gz ${CMAKE_CURRENT_BINARY_DIR}/swagger-ui.css.gz)
embed(maas_api maas_swagger_ui_js_gz ${CMAKE_CURRENT_BINARY_DIR}/swagger-ui-bundle.js.gz)
