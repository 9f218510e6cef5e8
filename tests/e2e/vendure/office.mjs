// The shop's back office over /admin-api, as its owner uses it: what is for sale, and what the books say afterwards.
export class Office {
  static async login(url, password) {
    const office = new Office(`${url}/admin-api`);
    const data = await office.ask(
      `mutation($p: String!) { login(username: "superadmin", password: $p) { __typename ...on ErrorResult { message } } }`,
      { p: password });
    if (data.login.__typename !== 'CurrentUser') throw new Error(`the back office stays shut: ${data.login.message}`);
    return office;
  }

  constructor(url) { this.url = url; }

  async ask(query, variables = {}) {
    const headers = { 'content-type': 'application/json' };
    if (this.token) headers.authorization = `Bearer ${this.token}`;
    const answer = await fetch(this.url, {
      method: 'POST', headers, body: JSON.stringify({ query, variables }), signal: AbortSignal.timeout(60_000),
    });
    this.token = answer.headers.get('vendure-auth-token') ?? this.token;
    const body = await answer.json();
    if (body.errors) throw new Error(`${this.url}: ${JSON.stringify(body.errors)}`);
    return body.data;
  }

  // Germany, 19 % in the price, a dummy payment method that settles at once, digital delivery for nothing, one pass.
  async seed({ price }) {
    const country = await this.ask(
      `mutation { createCountry(input: { code: "DE", enabled: true, translations: [{ languageCode: en, name: "Germany" }] }) { id } }`);
    const zone = await this.ask(`mutation($m: [ID!]) { createZone(input: { name: "EU", memberIds: $m }) { id } }`,
      { m: [country.createCountry.id] });
    const category = await this.ask(`mutation { createTaxCategory(input: { name: "Standard", isDefault: true }) { id } }`);
    await this.ask(
      `mutation($c: ID!, $z: ID!) { createTaxRate(input: { name: "VAT 19", enabled: true, value: 19, categoryId: $c, zoneId: $z }) { id } }`,
      { c: category.createTaxCategory.id, z: zone.createZone.id });
    const channel = await this.ask(`{ channels { items { id } } }`);
    const updated = await this.ask(
      `mutation($i: UpdateChannelInput!) { updateChannel(input: $i) { __typename ...on ErrorResult { message } } }`,
      { i: { id: channel.channels.items[0].id, pricesIncludeTax: true, defaultCurrencyCode: 'EUR',
        availableCurrencyCodes: ['EUR'], defaultTaxZoneId: zone.createZone.id, defaultShippingZoneId: zone.createZone.id } });
    if (updated.updateChannel.__typename !== 'Channel') throw new Error(updated.updateChannel.message);
    await this.ask(`mutation($i: CreatePaymentMethodInput!) { createPaymentMethod(input: $i) { id } }`,
      { i: { code: 'dummy', enabled: true, translations: [{ languageCode: 'en', name: 'Dummy', description: '' }],
        handler: { code: 'dummy-payment-handler', arguments: [{ name: 'automaticSettle', value: 'true' }] } } });
    await this.ask(`mutation($i: CreateShippingMethodInput!) { createShippingMethod(input: $i) { id } }`,
      { i: { code: 'digital', fulfillmentHandler: 'manual-fulfillment',
        translations: [{ languageCode: 'en', name: 'Digital delivery', description: '' }],
        checker: { code: 'default-shipping-eligibility-checker', arguments: [{ name: 'orderMinimum', value: '0' }] },
        calculator: { code: 'default-shipping-calculator', arguments: [
          { name: 'rate', value: '0' }, { name: 'includesTax', value: 'auto' }, { name: 'taxRate', value: '0' }] } } });
    const product = await this.ask(`mutation($i: CreateProductInput!) { createProduct(input: $i) { id } }`,
      { i: { enabled: true, translations: [{ languageCode: 'en', name: 'Season pass', slug: 'season-pass',
        description: 'All matches, clean-ambience audio' }] } });
    await this.ask(`mutation($i: [CreateProductVariantInput!]!) { createProductVariants(input: $i) { id } }`,
      { i: [{ productId: product.createProduct.id, sku: 'SEASON-PASS', price, trackInventory: 'FALSE',
        taxCategoryId: category.createTaxCategory.id, translations: [{ languageCode: 'en', name: 'Season pass' }] }] });
  }

  async setPrice(sku, price) {
    const data = await this.ask(`query($s: String!) { productVariants(options: { filter: { sku: { eq: $s } } }) { items { id } } }`,
      { s: sku });
    await this.ask(`mutation($i: [UpdateProductVariantInput!]!) { updateProductVariants(input: $i) { id } }`,
      { i: [{ id: data.productVariants.items[0].id, price }] });
  }

  // Every order there ever was, carts included, and every account that is still there.
  async books() {
    const orders = [];
    for (let skip = 0, total = 1; skip < total; skip += 100) {
      const data = await this.ask(
        `query($s: Int!) { orders(options: { take: 100, skip: $s }) { totalItems items {
           code state active customFields { puckdropKey } lines { quantity }
           payments { state amount refunds { state total } } } } }`, { s: skip });
      total = data.orders.totalItems;
      orders.push(...data.orders.items);
    }
    const { customers } = await this.ask(`{ customers { totalItems items { emailAddress } } }`);
    return { orders, customers: customers.items };
  }
}
