// Speaks every text file that is moved into a folder: inbox/note.txt becomes inbox/note.wav.
using LightTts.Samples.Worker;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Hosting;

var builder = Host.CreateApplicationBuilder(new HostApplicationBuilderSettings { Args = args, ContentRootPath = AppContext.BaseDirectory });
builder.Services.AddLightTts(builder.Configuration.GetSection("LightTts"));
builder.Services.Configure<InboxOptions>(options => builder.Configuration.GetSection("Inbox").Bind(options));
builder.Services.TryAddSingleton(TimeProvider.System);
builder.Services.AddHostedService<InboxReader>();
await builder.Build().RunAsync();
