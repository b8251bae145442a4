<?xml version="1.0" encoding="utf-8"?>
<!-- XML documents without the members that a source generator made of regular expressions: internals, and most of the file. -->
<xsl:stylesheet version="1.0" xmlns:xsl="http://www.w3.org/1999/XSL/Transform">
  <xsl:template match="@*|node()"><xsl:copy><xsl:apply-templates select="@*|node()" /></xsl:copy></xsl:template>
  <xsl:template match="member[contains(@name, 'System.Text.RegularExpressions.Generated') or contains(., '&#x25CB;')]" />
</xsl:stylesheet>
