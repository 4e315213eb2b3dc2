"""Find the country of a phone number by its first digits, in Python and for a column of the database.

The longest matching prefix decides: 1 is the United States, 1416 Canada. The data is from the libphonenumber
project. Codes that belong to no country, such as 800 and 870, have none.
"""

PREFIXES = """
    AC 247, AD 376, AE 971, AF 93, AG 1268, AI 1264, AL 355, AM 374, AO 244, AR 54, AS 1684, AT 43,
    AU 61, AW 297, AX 35818, AZ 994, BA 387, BB 1246, BD 880, BE 32, BF 226, BG 359, BH 973, BI 257,
    BJ 229, BM 1441, BN 673, BO 591, BQ 5993 5994 5997, BR 55, BS 1242, BT 975, BW 267, BY 375, BZ 501,
    CA 1204 1226 1236 1249 1250 1257 1263 1273 1289 1306 1343 1354 1365 1367 1368 1382 1403 1416
      1418 1428 1431 1437 1438 1450 1468 1474 1506 1514 1519 1548 1579 1581 1584 1587 1600 1604 1613
      1622 1633 1639 1647 1672 1683 1705 1709 1742 1753 1778 1780 1782 1807 1819 1825 1867 1873 1879
      1902 1905 1942,
    CC 6189162, CD 243, CF 236, CG 242, CH 41, CI 225, CK 682, CL 56, CM 237, CN 86, CO 57, CR 506,
    CU 53, CV 238, CW 599, CX 6189164, CY 357, CZ 420, DE 49, DJ 253, DK 45, DM 1767, DO 1809 1829 1849,
    DZ 213, EC 593, EE 372, EG 20, EH 2125289, ER 291, ES 34, ET 251, FI 358, FJ 679, FK 500,
    FM 691, FO 298, FR 33, GA 241, GB 44, GD 1473, GE 995, GF 594, GG 441481 447781 447839 447911,
    GH 233, GI 350, GL 299, GM 220, GN 224, GP 590, GQ 240, GR 30, GT 502, GU 1671, GW 245, GY 592,
    HK 852, HN 504, HR 385, HT 509, HU 36, ID 62, IE 353, IL 972, IM 441624 447524 447624, IN 91,
    IO 246, IQ 964, IR 98, IS 354, IT 39, JE 441534 447797 447829 447937, JM 1658 1876, JO 962, JP 81,
    KE 254, KG 996, KH 855, KI 686, KM 269, KN 1869, KP 850, KR 82, KW 965, KY 1345, KZ 77, LA 856,
    LB 961, LC 1758, LI 423, LK 94, LR 231, LS 266, LT 370, LU 352, LV 371, LY 218, MA 212, MC 377,
    MD 373, ME 382, MG 261, MH 692, MK 389, ML 223, MM 95, MN 976, MO 853, MP 1670, MQ 596, MR 222,
    MS 1664, MT 356, MU 230, MV 960, MW 265, MX 52, MY 60, MZ 258, NA 264, NC 687, NE 227, NF 672,
    NG 234, NI 505, NL 31, NO 47, NP 977, NR 674, NU 683, NZ 64, OM 968, PA 507, PE 51, PF 689, PG 675,
    PH 63, PK 92, PL 48, PM 508, PR 1787 1939, PS 970, PT 351, PW 680, PY 595, QA 974, RE 262, RO 40,
    RS 381, RU 7, RW 250, SA 966, SB 677, SC 248, SD 249, SE 46, SG 65, SH 290, SI 386, SJ 4779, SK 421,
    SL 232, SM 378, SN 221, SO 252, SR 597, SS 211, ST 239, SV 503, SX 1721, SY 963, SZ 268, TA 2908,
    TC 1649, TD 235, TG 228, TH 66, TJ 992, TK 690, TL 670, TM 993, TN 216, TO 676, TR 90, TT 1868,
    TV 688, TW 886, TZ 255, UA 380, UG 256, US 1, UY 598, UZ 998, VA 3906698, VC 1784, VE 58, VG 1284,
    VI 1340, VN 84, VU 678, WF 681, WS 685, XK 383, YE 967, YT 262269 262639, ZA 27, ZM 260,
    ZW 263
"""
NAMES = """
    AC Ascension Island; AD Andorra; AE United Arab Emirates; AF Afghanistan; AG Antigua and Barbuda;
    AI Anguilla; AL Albania; AM Armenia; AO Angola; AR Argentina; AS American Samoa; AT Austria;
    AU Australia; AW Aruba; AX Åland Islands; AZ Azerbaijan; BA Bosnia and Herzegovina; BB Barbados;
    BD Bangladesh; BE Belgium; BF Burkina Faso; BG Bulgaria; BH Bahrain; BI Burundi; BJ Benin;
    BM Bermuda; BN Brunei; BO Bolivia; BQ Bonaire, Sint Eustatius and Saba; BR Brazil; BS Bahamas;
    BT Bhutan; BW Botswana; BY Belarus; BZ Belize; CA Canada; CC Cocos Islands; CD Congo (Kinshasa);
    CF Central African Republic; CG Congo (Brazzaville); CH Switzerland; CI Côte d’Ivoire;
    CK Cook Islands; CL Chile; CM Cameroon; CN China; CO Colombia; CR Costa Rica; CU Cuba;
    CV Cape Verde; CW Curaçao; CX Christmas Island; CY Cyprus; CZ Czechia; DE Germany; DJ Djibouti;
    DK Denmark; DM Dominica; DO Dominican Republic; DZ Algeria; EC Ecuador; EE Estonia; EG Egypt;
    EH Western Sahara; ER Eritrea; ES Spain; ET Ethiopia; FI Finland; FJ Fiji; FK Falkland Islands;
    FM Micronesia; FO Faroe Islands; FR France; GA Gabon; GB United Kingdom; GD Grenada; GE Georgia;
    GF French Guiana; GG Guernsey; GH Ghana; GI Gibraltar; GL Greenland; GM Gambia; GN Guinea;
    GP Guadeloupe; GQ Equatorial Guinea; GR Greece; GT Guatemala; GU Guam; GW Guinea-Bissau; GY Guyana;
    HK Hong Kong; HN Honduras; HR Croatia; HT Haiti; HU Hungary; ID Indonesia; IE Ireland; IL Israel;
    IM Isle of Man; IN India; IO British Indian Ocean Territory; IQ Iraq; IR Iran; IS Iceland; IT Italy;
    JE Jersey; JM Jamaica; JO Jordan; JP Japan; KE Kenya; KG Kyrgyzstan; KH Cambodia; KI Kiribati;
    KM Comoros; KN Saint Kitts and Nevis; KP North Korea; KR South Korea; KW Kuwait; KY Cayman Islands;
    KZ Kazakhstan; LA Laos; LB Lebanon; LC Saint Lucia; LI Liechtenstein; LK Sri Lanka; LR Liberia;
    LS Lesotho; LT Lithuania; LU Luxembourg; LV Latvia; LY Libya; MA Morocco; MC Monaco; MD Moldova;
    ME Montenegro; MG Madagascar; MH Marshall Islands; MK North Macedonia; ML Mali; MM Myanmar;
    MN Mongolia; MO Macao; MP Northern Mariana Islands; MQ Martinique; MR Mauritania; MS Montserrat;
    MT Malta; MU Mauritius; MV Maldives; MW Malawi; MX Mexico; MY Malaysia; MZ Mozambique; NA Namibia;
    NC New Caledonia; NE Niger; NF Norfolk Island; NG Nigeria; NI Nicaragua; NL Netherlands; NO Norway;
    NP Nepal; NR Nauru; NU Niue; NZ New Zealand; OM Oman; PA Panama; PE Peru; PF French Polynesia;
    PG Papua New Guinea; PH Philippines; PK Pakistan; PL Poland; PM Saint Pierre and Miquelon;
    PR Puerto Rico; PS Palestine; PT Portugal; PW Palau; PY Paraguay; QA Qatar; RE Reunion; RO Romania;
    RS Serbia; RU Russia; RW Rwanda; SA Saudi Arabia; SB Solomon Islands; SC Seychelles; SD Sudan;
    SE Sweden; SG Singapore; SH Saint Helena; SI Slovenia; SJ Svalbard and Jan Mayen; SK Slovakia;
    SL Sierra Leone; SM San Marino; SN Senegal; SO Somalia; SR Suriname; SS South Sudan;
    ST Sao Tome and Principe; SV El Salvador; SX Sint Maarten (Dutch part); SY Syria; SZ Eswatini;
    TA Tristan da Cunha; TC Turks and Caicos Islands; TD Chad; TG Togo; TH Thailand; TJ Tajikistan;
    TK Tokelau; TL Timor-Leste; TM Turkmenistan; TN Tunisia; TO Tonga; TR Türkiye;
    TT Trinidad and Tobago; TV Tuvalu; TW Taiwan; TZ Tanzania; UA Ukraine; UG Uganda; US United States;
    UY Uruguay; UZ Uzbekistan; VA Vatican; VC Saint Vincent and The Grenadines; VE Venezuela;
    VG British Virgin Islands; VI U.S. Virgin Islands; VN Vietnam; VU Vanuatu; WF Wallis and Futuna;
    WS Samoa; XK Kosovo; YE Yemen; YT Mayotte; ZA South Africa; ZM Zambia; ZW Zimbabwe
"""
COUNTRY_OF = {
    prefix: country
    for country, *prefixes in (line.split() for line in PREFIXES.replace("\n", " ").split(","))
    for prefix in prefixes
}
COUNTRY_NAMES = {
    code: name
    for code, _, name in (one.strip().partition(" ") for one in NAMES.replace("\n   ", "").split(";"))
}
LONGEST = max(map(len, COUNTRY_OF))


def country_of(endpoint: str | None) -> str | None:
    """Return the two-letter country of a number that begins with `+` and a country's code; else None."""
    if not endpoint or not endpoint.startswith("+"):
        return None
    lengths = range(LONGEST, 0, -1)
    return next(filter(None, (COUNTRY_OF.get(endpoint[1 : 1 + length]) for length in lengths)), None)
